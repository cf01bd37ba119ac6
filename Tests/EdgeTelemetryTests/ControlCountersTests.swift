import Testing

@testable import EdgeTelemetry

@Suite struct `What operators do` {
  @Test func `the last reload tells whether the file is in force`() {
    let control = ControlCounters()
    #expect(text(control).contains("sluice_config_last_reload_successful 1\n"))
    control.reloadEnded(.invalid)
    #expect(text(control).contains("sluice_config_last_reload_successful 0\n"))
    control.reloadEnded(.failed)
    control.reloadEnded(.applied)
    #expect(text(control).contains("sluice_config_last_reload_successful 1\n"))
    for result in ReloadResult.allCases {
      #expect(text(control).contains("sluice_config_reloads_total{result=\"\(result.word)\"} 1\n"))
    }
  }

  @Test(
    arguments: [
      (200, .done), (201, .done), (400, .refused), (401, .denied), (403, .denied), (404, .refused), (409, .refused),
      (429, .denied),
      (500, .failed), (503, .failed),
    ] as [(Int, AdminActionResult)])
  func `a status says what came of an action`(status: Int, result: AdminActionResult) {
    #expect(AdminActionResult(status: status) == result)
  }

  @Test func `an action has a series for each result`() {
    let control = ControlCounters()
    control.adminActed("rule.add", result: .done)
    control.adminActed("rule.add", result: .denied)
    control.adminActed("rule.add", result: .denied)
    #expect(text(control).contains("sluice_admin_actions_total{action=\"rule.add\",result=\"denied\"} 2\n"))
    #expect(text(control).contains("sluice_admin_actions_total{action=\"rule.add\",result=\"failed\"} 0\n"))
  }

  @Test func `ever new actions cannot make ever new series`() {
    let control = ControlCounters()
    for number in 0..<1_000 { control.adminActed("action.\(number)", result: .done) }
    let others = 1_000 - ControlCounters.maxActions
    #expect(control.sample.actions.count == ControlCounters.maxActions + 1)
    #expect(text(control).contains("sluice_admin_actions_total{action=\"other\",result=\"done\"} \(others)\n"))
  }

  private func text(_ control: ControlCounters) -> String {
    let values = ScrapeValues(version: "1.0", control: control.sample)
    return String(decoding: Exposition.render(values, reactors: [], as: .prometheus), as: UTF8.self)
  }
}
