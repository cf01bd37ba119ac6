import EdgeCore
import EdgePolicy
import Testing

@Suite struct RulePropertyTests {
  /// Rules come, go and expire at random, beside a list that is searched from end to end.
  @Test(arguments: 0..<40)
  func `a table says of everyone what a list of its rules says`(seed: Int) throws {
    var random = SplitMix(state: UInt64(seed))
    var now = WallTime(seconds: 1_000_000)
    var table = RuleTable(capacity: 40)
    var model: [Rule] = []
    for _ in 0..<500 {
      now = now.adding(.milliseconds(Int.random(in: 0..<1_500, using: &random)))
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<5:
        let ttl: Duration? = Int.random(in: 0..<4, using: &random) == 0 ? nil : .seconds(Int.random(in: 1..<90, using: &random))
        let effect = randomEffect(&random, now: now)
        do throws(RuleTableError) {
          let rule = try table.add(effect, for: ttl, author: "ops", isSeed: Bool.random(using: &random), now: now).rule
          model.removeAll { $0.id == rule.id }
          model.append(rule)
        } catch {
          #expect(error == .full(capacity: 40))
          #expect(model.count { $0.isActive(at: now) } == 40)
        }
      case 5..<7:
        if let rule = model.randomElement(using: &random) {
          #expect((table.remove(rule.id) != nil) || !rule.isActive(at: now))
          model.removeAll { $0.id == rule.id }
        }
      case 7:
        _ = table.sweep(now: now)
        #expect(table.count == model.count { $0.isActive(at: now) })
      default: break
      }
      let client = RuleClient(
        address: Bool.random(using: &random) ? randomAddress(&random) : nil, user: randomUser(&random, by: ["a", "b"]),
        token: .init(issuedAt: randomTime(&random, now: now), id: ["t1", "t2", nil].randomElement(using: &random) ?? nil))
      let active = model.filter { $0.isActive(at: now) }
      let bans = active.filter { if case .ban(let subject) = $0.effect { concerns(subject, client) } else { false } }
      let ban = table.ban(of: client, now: now)
      #expect((ban != nil) == !bans.isEmpty)
      #expect(ban.map { ban in bans.contains { $0.id == ban.id } && bans.allSatisfy { ends($0) <= ends(ban) } } ?? true)
      #expect((table.revocation(of: client, now: now) != nil) == active.contains { revokes($0, client) })
      #expect((table.throttle(of: client, now: now)?.messages?.units) == slowest(active, client))
    }
  }

  // MARK: The model

  private func ends(_ rule: Rule) -> Int64 { rule.expires?.nanoseconds ?? .max }

  private func concerns(_ subject: RuleSubject, _ client: RuleClient) -> Bool {
    switch subject {
    case .user(let name): client.user.map { $0.text == name.text && (name.auth == nil || name.auth == $0.auth) } ?? false
    case .network(let block): client.address.map { block.contains($0) } ?? false
    }
  }

  private func revokes(_ rule: Rule, _ client: RuleClient) -> Bool {
    guard case .revoke(let tokens) = rule.effect, let user = client.user, let token = client.token else { return false }
    let issued = token.issuedAt?.nanoseconds ?? .min
    switch tokens {
    case .ofUser(let name, let time):
      return concerns(.user(name), client) && (time.map { issued < $0.nanoseconds } ?? (issued <= rule.created.nanoseconds))
    case .token(let name): return token.id == name.text && (name.auth == nil || name.auth == user.auth)
    case .ofAuth(let auth, let time): return (auth == nil || auth == user.auth) && issued < time.nanoseconds
    }
  }

  private func slowest(_ rules: [Rule], _ client: RuleClient) -> UInt64? {
    rules.compactMap { rule -> UInt64? in
      guard case .throttle(let subject, let throttle) = rule.effect, concerns(subject, client) else { return nil }
      return throttle.messages?.units
    }.min()
  }

  // MARK: Randomness

  private func randomUser(_ random: inout SplitMix, by auths: [String?]) -> VouchedName {
    VouchedName(["u1", "u2", "u3"].randomElement(using: &random) ?? "", by: auths.randomElement(using: &random) ?? nil)
  }

  private func randomTime(_ random: inout SplitMix, now: WallTime) -> WallTime? {
    let offset = Duration.milliseconds(Int.random(in: -20_000..<2_000, using: &random))
    return Int.random(in: 0..<6, using: &random) == 0 ? nil : now.adding(offset)
  }

  private func randomEffect(_ random: inout SplitMix, now: WallTime) -> RuleEffect {
    let user = randomUser(&random, by: ["a", "b", nil])
    let subject = Bool.random(using: &random) ? RuleSubject.user(user) : .network(randomBlock(&random))
    switch Int.random(in: 0..<6, using: &random) {
    case 0, 1: return .ban(subject)
    case 2:
      return .throttle(
        subject, Throttle(messages: GCRA(units: .random(in: 1..<9, using: &random), per: .seconds(1), burst: 3)))
    case 3: return .revoke(.ofUser(user, issuedBefore: randomTime(&random, now: now)))
    case 4: return .revoke(.token(VouchedName(Bool.random(using: &random) ? "t1" : "t2", by: user.auth)))
    default: return .revoke(.ofAuth(user.auth, issuedBefore: randomTime(&random, now: now) ?? now))
    }
  }
}
