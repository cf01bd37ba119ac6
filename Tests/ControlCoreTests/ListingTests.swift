import EdgeCore
import Testing

@testable import ControlCore

@Suite struct `What the API answers, as text` {
  private let plain = Painter(isColored: false)

  @Test func `connections have a row each`() throws {
    let page = try parsed(
      """
      {"connections":[
        {"id":"0001000000000007","state":"open","route":"chat","worker":"/run/chat/3.sock","user":"alice","client_address":"192.0.2.7",
         "age_seconds":185.2,"idle_seconds":0.85,"messages_in":1240,"messages_out":3,"bytes_in":2048,"bytes_out":10,"queued_bytes":0,
         "throttled":true,"throttle":{"messages_per_second":5,"burst":5,"bytes_per_second":65536,"until":null}},
        {"id":"0001000000000008","state":"closed","route":"chat","worker":"/run/chat/3.sock","user":null,"client_address":null,
         "age_seconds":1,"idle_seconds":1,"messages_in":0,"messages_out":0,"bytes_in":0,"bytes_out":0,"queued_bytes":0,
         "throttled":false,"throttle":null,"close_code":4403,"close_reason":"kicked","close_initiator":"edge"}]}
      """)
    #expect(
      Listing.connections(page).text(width: nil, painter: plain)
        == """
        ID                STATE   USER   ADDRESS    ROUTE  WORKER    AGE   IDLE  MSGS IN  OUT  BYTES IN   OUT  THROTTLE        CLOSED
        0001000000000007  open    alice  192.0.2.7  chat   3       3m05s  850ms    1,240    3   2.0 KiB  10 B  5/s 64.0 KiB/s
        0001000000000008  closed                    chat   3          1s     1s        0    0       0 B   0 B                  4403 kicked by edge

        """)
  }

  @Test func `rules say whom they are about and when they end`() throws {
    let page = try parsed(
      """
      {"now":"2026-01-31T12:00:00.000Z","rules":[
        {"id":"r1","action":"ban","cidr":"192.0.2.0/24","created":"2026-01-31T11:00:00.000Z","expires":"2026-01-31T12:10:05.000Z","by":"ops"},
        {"id":"r2","action":"throttle","user":"bob","messages":{"count":300,"per_ms":60000,"burst":5},
         "bytes":{"count":65536,"per_ms":1000,"burst":65536},"created":"2026-01-31T11:00:00.000Z","by":"ops","reason":"spam"}]}
      """)
    let lines = Listing.rules(page).text(width: nil, painter: plain).split(separator: "\n")
    #expect(lines[1] == "r1    ban       192.0.2.0/24                     10m05s  2026-01-31 11:00:00Z  ops")
    #expect(lines[2] == "r2    throttle  user bob      5.0/s 64.0 KiB/s    never  2026-01-31 11:00:00Z  ops  spam")
  }

  @Test func `workers of today's and of older edges have names`() throws {
    let answer = try parsed(
      """
      {"workers":[{"pool":"chat","path":"/run/chat/1.sock","state":"ready","up":true,"connections":7,"weight":1},
        {"name":"two","pool":"chat","path":"/run/chat/2.sock","state":"maint","up":false,"connections":0,"weight":100,"connect_failures":3}]}
      """)
    let lines = Listing.workers(answer).text(width: nil, painter: plain).split(separator: "\n")
    #expect(lines[1] == "1       chat  ready  up              7       1            /run/chat/1.sock")
    #expect(lines[2] == "two     chat  maint  down            0     100         3  /run/chat/2.sock")
  }

  @Test func `certificates and keys say what is about to end`() throws {
    let certificates = try parsed(
      """
      {"certificates":[{"listener":"public","name":"a.example","subject":"CN=a","names":["a.example","b.example"],"issuer":"CN=CA",
        "not_before":"2026-01-01T00:00:00Z","not_after":"2026-02-01T00:00:00Z","days_left":4.7,"key_type":"EC","serial":"01"}]}
      """)
    let table = Listing.certificates(certificates)
    #expect(table.text(width: nil, painter: plain).contains("a.example b.example  CN=CA   EC   2026-02-01 00:00:00Z          4"))
    #expect(table.text(width: nil, painter: Painter(isColored: true)).contains("\u{1b}[31m4\u{1b}[0m"))
    let keys = try parsed(
      """
      {"keys":[{"auth":"main","source":"url","location":"https://id.example/jwks","keys":[{"kid":"k1","algorithm":"ES256"}],"age_seconds":60},
        {"auth":"old","source":"file","location":"/k.pem","keys":[],"age_seconds":null}]}
      """)
    let lines = Listing.keys(keys).text(width: nil, painter: plain).split(separator: "\n")
    #expect(lines[1] == "main  k1    ES256      url     https://id.example/jwks  1m00s")
    #expect(lines[2] == "old   none             file    /k.pem")
  }

  @Test func `routes say who comes in without a token`() throws {
    let answer = try parsed(
      """
      {"routes":[{"name":"chat","host":null,"path":"/ws","pool":"chat","auth":null,"origins":["https://a"],"connections":1,
        "messages_in":2,"messages_out":3,"handshakes":{"accepted":5,"origin_denied":2,"banned":1}}]}
      """)
    #expect(
      Listing.routes(answer).text(width: nil, painter: plain).split(separator: "\n")[1].contains(
        "any   /ws   chat  open  https://a"))
    #expect(Listing.routes(answer).text(width: nil, painter: plain).contains(" 5        3\n"))
  }

  @Test func `status is there on an edge that tells little, and complete on one that tells all`() throws {
    let little = try parsed(
      #"{"version":"0.1.0","uptime_seconds":90,"reactors":2,"connections":3,"max_connections":10,"draining":false,"routes":["chat"]}"#
    )
    #expect(
      Sheet(status: little).text(width: nil, painter: plain) == """
        edge         sluice 0.1.0 · up 1m30s · 2 reactors
        connections  3 of 10
        routes       chat

        """)
    let all = try parsed(
      """
      {"version":"1.0.0","uptime_seconds":90,"reactors":1,"connections":2431,"max_connections":50000,"ready":true,"draining":false,
       "drain":null,"messages_in":1240,"messages_out":2,"bytes_in":1434,"bytes_out":0,"handshakes":{"accepted":9,"banned":2,"no_route":1},
       "throttled_connections":3,"clients_waiting":0,"send_queue_bytes":0,"routes":["chat"],
       "config":{"file":"/etc/sluice/sluice.yaml","age_seconds":7200,"etag":"x","last_reload":{"at":"2026-01-31T12:00:00Z","result":"failed"}},
       "next_certificate_expiry":{"name":"a.example","not_after":"2026-02-01T00:00:00Z","days_left":23.5}}
      """)
    #expect(
      Sheet(status: all).text(width: nil, painter: plain) == """
        edge           sluice 1.0.0 · ready · up 1m30s · 1 reactor
        connections    2,431 of 50,000 · 3 throttled · 0 waiting to come in
        messages       1,240 in, 2 out · 1.4 KiB in, 0 B out
        handshakes     9 accepted · 3 refused: banned 2, no_route 1
        send queues    0 B
        routes         chat
        certificate    a.example ends in 23 days
        configuration  /etc/sluice/sluice.yaml · loaded 2h00m ago · last reload failed

        """)
  }

  @Test func `one connection shows all that it has`() throws {
    let connection = try parsed(
      #"{"id":"0001000000000007","state":"open","user":null,"age_seconds":5,"opened_at":"2026-01-31T12:00:00.000Z","bytes_in":2048,"new_member":"x"}"#
    )
    #expect(
      Sheet(connection: connection).text(width: nil, painter: plain) == """
        id          0001000000000007
        state       open
        age         5s
        opened at   2026-01-31 12:00:00Z
        bytes in    2.0 KiB
        new member  x

        """)
  }

  @Test func `a reload says what changed and what waits`() throws {
    let answer = try parsed(
      """
      {"diff":[{"path":"limits.per_ip.connections","old":50,"new":80,"effect":"applied"},{"path":"threads","old":"auto","new":2,"effect":"needs_restart"},
        {"path":"routes[1]","old":null,"new":{"name":"x"},"effect":"new_connections"},{"path":"routes[2]","old":"y","new":null,"effect":"applied"}]}
      """)
    #expect(
      ConfigurationDiff(answer).text(painter: plain) == """
        ~ limits.per_ip.connections: 50 → 80
        ~ threads: auto → 2  (needs a restart)
        + routes[1]: {"name":"x"}  (for new connections)
        - routes[2]: y

        """)
    #expect(ConfigurationDiff([:]).text(painter: plain) == "Nothing differs.\n")
  }

  @Test func `nothing that is not there or of another kind stops it`() throws {
    let odd: [JSON] = [
      [:], .null, [], "x", 1, ["connections": [1, nil, "x", []], "workers": [[:]], "rules": [["messages": 1]], "top": [[:]]],
    ]
    for answer in odd {
      for table in [
        Listing.connections(answer), Listing.workers(answer), Listing.rules(answer), Listing.routes(answer),
        Listing.certificates(answer),
        Listing.keys(answer), Listing.talkers(answer),
      ] {
        #expect(!table.text(width: 40, painter: plain).isEmpty)
      }
      _ = Sheet(status: answer).text(width: 40, painter: plain)
      _ = Sheet(connection: answer).text(width: 40, painter: plain)
      _ = ConfigurationDiff(answer).text(painter: plain)
    }
  }
}

func parsed(_ text: String) throws -> JSON {
  try JSON(parsing: Array(text.utf8))
}
