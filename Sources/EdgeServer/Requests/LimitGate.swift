import EdgeAuth
import EdgeConfig
import EdgeCore
import EdgeIO
import EdgeWebSocket

/// The limits that a request meets, beyond those that its TCP connection met when it was accepted.
extension Gate {
  /// Charges an attempt at a WebSocket to the client's address. The first on a TCP connection was charged when that was accepted,
  /// unless it is a trusted proxy's; behind one the WebSocket takes a place of its own, and so does a further one on the same
  /// connection.
  func takePlaceOfAddress(
    route: Route, from client: Client, origin: RequestOrigin, context: ReactorContext
  ) throws(Refusal) -> HeldPlace? {
    guard let address = origin.limitedAddress else { return nil }
    let (places, limits, now) = (context.shared.limits, context.snapshot.admission, context.reactor.now)
    do {
      let needsPlace = origin.isProxied || !client.usesConnectionPlace()
      if needsPlace { return try places.takePlace(of: address, under: limits, now: now) }
      if !client.beginAttempt() { try places.chargeAttempt(address, under: limits, now: now) }
      return nil
    } catch {
      throw .overLimit(error, route, origin)
    }
  }

  /// Takes a place of a verified user for a WebSocket; the one that had it is closed, wherever its reactor is.
  func takePlace(
    of user: UserID, route: Route, from client: Client, origin: RequestOrigin, context: ReactorContext
  ) throws(Refusal) -> HeldPlace? {
    do {
      let (place, replaced) = try context.shared.limits.takePlace(
        of: user, connection: client.id, under: context.snapshot.admission, now: context.reactor.now)
      for connection in replaced { context.shared.post(.replace(connection), to: connection.reactor) }
      return place
    } catch {
      throw .overLimit(error, route, origin)
    }
  }

  /// Charges a token that was refused to the client's address, so that guessing is no faster over a connection that is kept.
  func chargeGuess(route: Route, origin: RequestOrigin, context: ReactorContext) throws(Refusal) {
    guard let address = origin.limitedAddress else { return }
    do {
      try context.shared.limits.chargeAttempt(address, under: context.snapshot.admission, now: context.reactor.now)
    } catch {
      throw .overLimit(error, route, origin)
    }
  }
}

extension TokenError {
  /// Whether there was a token, and it was not good.
  var isGuess: Bool {
    switch self {
    case .missing: false
    case .expired, .invalid: true
    }
  }
}

extension Client {
  /// Ends a WebSocket, or what would become one, if a newer one of the same user has its place.
  func closeIfReplaced() {
    tunnel?.closeIfReplaced()
    exchange?.refuseIfReplaced()
  }
}

extension Exchange {
  /// A worker that is slow to answer must not let a user have more attempts than WebSockets.
  fileprivate func refuseIfReplaced() {
    guard let admission, admission.caller.isReplaced else { return }
    answerOrAbort(.replaced(admission))
  }
}

extension Tunnel {
  /// Closes the WebSocket if a newer one of the same user has its place.
  func closeIfReplaced() {
    guard caller.isReplaced else { return }
    close(CloseCode(rawValue: route.closeCodes.replaced), reason: "replaced")
  }
}
