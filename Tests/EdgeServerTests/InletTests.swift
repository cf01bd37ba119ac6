import Testing

@testable import EdgeServer

@Suite struct `An inlet` {
  @Test func `waits until readiness was told, then receives until a short read`() {
    var inlet = Inlet()
    #expect(inlet.turn == .wait)
    inlet.becameReadable(ending: false)
    #expect(inlet.turn == .receive)
    #expect(inlet.received(more: true) == true)
    #expect(inlet.turn == .receive)
    #expect(inlet.received(more: false) == false)
    #expect(inlet.turn == .wait)
  }

  @Test func `remembers readiness that came while it was paused`() {
    var inlet = Inlet()
    inlet.pause()
    inlet.becameReadable(ending: false)
    #expect(inlet.turn == .wait)
    #expect(inlet.resume(hasKept: false) == true)
    #expect(inlet.turn == .receive)
  }

  @Test func `reads on to an end that was told together with the last bytes`() {
    var inlet = Inlet()
    inlet.becameReadable(ending: true)
    #expect(inlet.received(more: false) == true)
    #expect(inlet.turn == .receive)
    inlet.foundEnd()
    #expect(inlet.turn == .wait)
  }

  @Test func `an end that was told and is not there makes the connection useless`() {
    var inlet = Inlet()
    inlet.becameReadable(ending: false)
    #expect(inlet.foundNothing() == false)
    inlet.becameReadable(ending: true)
    #expect(inlet.foundNothing() == true)
  }

  @Test func `kept bytes are used once after a pause, without waiting for others`() {
    var inlet = Inlet()
    inlet.pause()
    #expect(inlet.resume(hasKept: true) == true)
    #expect(inlet.turn == .useKept)
    #expect(inlet.useKept() == false)
    #expect(inlet.turn == .wait, "what could not be used waits for further bytes")
  }

  @Test func `only an inlet with nothing on its way in is quiet`() {
    var inlet = Inlet()
    #expect(inlet.isQuiet == true)
    inlet.becameReadable(ending: false)
    #expect(inlet.isQuiet == false)
    _ = inlet.foundNothing()
    #expect(inlet.isQuiet == true)
  }

  @Test func `an inlet that discards takes turns for all that comes`() {
    var inlet = Inlet()
    inlet.pause()
    inlet.becameReadable(ending: false)
    #expect(inlet.discard() == true)
    #expect(inlet.turn == .receive)
  }
}
