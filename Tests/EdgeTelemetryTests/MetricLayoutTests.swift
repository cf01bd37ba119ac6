import Testing

@testable import EdgeTelemetry

@Suite struct `The layout for another configuration` {
  private let layout = MetricLayout(routes: ["a", "b"], listeners: ["l"], protocolErrors: ["x"])

  @Test func `keeps the places of names that were there`() {
    let next = layout.adding(routes: ["c", "b"], listeners: ["m"])
    #expect(next.routes == ["a", "b", "c"])
    #expect(next.listeners == ["l", "m"])
    #expect(next.indices(ofRoutes: ["c", "b"]) == [2, 1])
    #expect(next.indices(ofListeners: ["m"]) == [1])
    #expect(next.adding(routes: ["a"], listeners: ["l"]) == next)
  }

  @Test func `grows no further once too many names are gone, and counts the rest together`() {
    var layout = layout
    for number in 0..<2_000 { layout = layout.adding(routes: ["r\(number)", "s\(number)"], listeners: ["l"]) }
    #expect(layout.routes.count == MetricLayout.maxRemoved + 2 + 1)
    #expect(layout.routes.last == "other")
    #expect(layout.indices(ofRoutes: ["a", "r0", "r1999"]) == [0, 2, layout.routes.count - 1])
  }

  @Test func `has room for every name of the configuration, however many`() {
    let many = (0..<5_000).map { "r\($0)" }
    let next = layout.adding(routes: many, listeners: ["l"])
    #expect(Set(next.indices(ofRoutes: many)).count == many.count)
    #expect(!next.routes.contains("other"))
  }
}
