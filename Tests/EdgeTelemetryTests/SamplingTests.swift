import Testing

@testable import EdgeTelemetry

@Suite struct `The choice of samples` {
  @Test func `the first is chosen, and then about one in 64`() {
    let sampling = Sampling()
    let chosen = (0..<64_000).filter { _ in sampling.choosesNext() }
    #expect(chosen.first == 0)
    #expect((900...1_100).contains(chosen.count))
  }

  @Test(arguments: [2, 3, 16, 61, 64, 128])
  func `no rhythm hides anybody`(rhythm: Int) {
    let sampling = Sampling()
    let chosen = (0..<rhythm * 6_400).filter { _ in sampling.choosesNext() }
    #expect(Set(chosen.map { $0 % rhythm }).count == rhythm)
  }
}
