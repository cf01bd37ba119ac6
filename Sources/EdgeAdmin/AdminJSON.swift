internal import EdgeCore

extension AdminStatus {
  var json: JSON {
    [
      "version": .string(version), "started_at": .string(startedAt.rfc3339), "now": .string(now.rfc3339),
      "uptime_seconds": seconds(from: startedAt, to: now), "reactors": .integer(Int64(reactors)),
      "connections": .integer(Int64(connections)), "max_connections": .integer(Int64(maxConnections)),
      "draining": .bool(isDraining), "routes": .array(routes.map(JSON.string)),
    ]
  }
}
