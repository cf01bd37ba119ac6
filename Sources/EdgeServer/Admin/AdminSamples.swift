import EdgeCore
import EdgeIO
import EdgeTelemetry

extension ProcessSample {
  init?(_ figures: ProcessFigures?, started: WallTime) {
    guard let figures else { return nil }
    self.init(
      cpuSeconds: figures.cpuSeconds, residentBytes: figures.residentBytes, virtualBytes: figures.virtualBytes,
      openDescriptors: UInt64(DescriptorLimit.openCount()), maxDescriptors: figures.maxDescriptors, startTime: started)
  }
}
