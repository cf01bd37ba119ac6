/// One metric name and what stands above its samples in an exposition.
struct MetricFamily: Sendable {
  /// What the samples of a family are.
  enum Kind: String, Sendable {
    /// Only grows; its name ends in `_total`.
    case counter
    /// Rises and falls.
    case gauge
    /// Buckets, a sum and a count.
    case histogram
  }

  let name: String
  let kind: Kind
  let help: String
  let labels: [String]

  init(_ name: String, _ kind: Kind, by labels: [String] = [], _ help: String) {
    precondition((kind == .counter) == name.hasSuffix("_total"))
    self.name = name
    self.kind = kind
    self.help = help
    self.labels = labels
  }
}

/// Every family the edge shows (operators.md, metrics). No label ever names a user, an address, a room or an origin.
extension MetricFamily {
  // The process
  static let buildInfo = MetricFamily(
    "sluice_build_info", .gauge, by: ["version", "revision", "tls"], "Always 1; the labels say what runs.")
  static let draining = MetricFamily("sluice_draining", .gauge, "1 while the edge sends its clients away, else 0.")
  static let logRecordsDropped = MetricFamily(
    "sluice_log_records_dropped_total", .counter, "Log records given up because the writer was behind.")
  static let eventLoopLag = MetricFamily(
    "sluice_event_loop_lag_seconds", .histogram, by: ["loop"], "How long a reactor was busy between two waits.")

  // Connections and handshakes
  static let connectedClients = MetricFamily(
    "sluice_clients_connected", .gauge, "Clients that are connected, with a WebSocket or without.")
  static let clientLimit = MetricFamily(
    "sluice_clients_limit", .gauge, "The most clients that may be connected: limits.max_connections, or what descriptors carry.")
  static let connections = MetricFamily(
    "sluice_connections", .gauge, by: ["listener", "protocol"], "WebSockets that are open.")
  static let connectionsOpened = MetricFamily("sluice_connections_opened_total", .counter, "WebSockets that opened.")
  static let connectionsClosed = MetricFamily(
    "sluice_connections_closed_total", .counter, by: ["route", "initiator", "code"], "WebSockets that ended, by who ended them.")
  static let connectionDuration = MetricFamily(
    "sluice_connection_duration_seconds", .histogram, "How long WebSockets that ended had been open.")
  static let tlsHandshakes = MetricFamily(
    "sluice_tls_handshakes_total", .counter, by: ["result", "version", "resumed"], "TLS handshakes that ended.")
  static let tlsHandshakeDuration = MetricFamily(
    "sluice_tls_handshake_duration_seconds", .histogram, "How long TLS handshakes took.")
  static let certificateNotAfter = MetricFamily(
    "sluice_tls_certificate_not_after_timestamp_seconds", .gauge, by: ["name"], "When a certificate expires, in Unix time.")
  static let handshakes = MetricFamily(
    "sluice_handshakes_total", .counter, by: ["route", "result"], "Opening handshakes that ended.")
  static let handshakeDuration = MetricFamily(
    "sluice_handshake_duration_seconds", .histogram, by: ["route"],
    "How long opening handshakes took, the worker's part included.")
  static let httpRequests = MetricFamily(
    "sluice_http_requests_total", .counter, by: ["route", "code"], "Plain HTTP requests that were answered.")
  static let tokenCache = MetricFamily(
    "sluice_token_cache_total", .counter, by: ["result"], "Tokens that were looked up among those verified before.")
  static let http2Floods = MetricFamily(
    "sluice_http2_floods_total", .counter, by: ["kind"], "HTTP/2 connections that ended because their client flooded them.")
  static let keySetAge = MetricFamily(
    "sluice_jwks_age_seconds", .gauge, by: ["auth"], "How long ago a key set was fetched; +Inf if it never was.")

  static let spoofedForwarded = MetricFamily(
    "sluice_spoofed_forwarded_total", .counter,
    "Forwarding fields, which were ignored, and PROXY headers, which were refused, of peers that are no trusted proxy.")

  // Limits
  static let waitingClients = MetricFamily(
    "sluice_clients_waiting", .gauge, "Clients that were accepted and wait for their turn to begin TLS.")
  static let limiterEntries = MetricFamily(
    "sluice_limiter_entries", .gauge, by: ["scope"], "Addresses or users that hold or have used something of their limits.")
  static let limiterEvictions = MetricFamily(
    "sluice_limiter_evictions_total", .counter, by: ["scope"], "Those forgotten for lack of room before their limits were whole.")

  // Messages
  static let messages = MetricFamily(
    "sluice_messages_total", .counter, by: ["route", "direction", "type"], "Messages received from clients and sent to them.")
  static let messageBytes = MetricFamily(
    "sluice_message_bytes_total", .counter, by: ["route", "direction"], "Payload bytes of those messages.")
  static let messageSize = MetricFamily("sluice_message_size_bytes", .histogram, "Payload bytes of one message.")
  static let messageTransit = MetricFamily(
    "sluice_message_transit_seconds", .histogram, by: ["direction"],
    "From received to taken by the kernel, without waits for a limit; one message of about 64.")
  static let protocolErrors = MetricFamily(
    "sluice_protocol_errors_total", .counter, by: ["route", "side", "error"], "Breaches of the WebSocket protocol.")
  static let slowConsumers = MetricFamily(
    "sluice_slow_consumers_total", .counter, by: ["route"], "Clients closed because they made no progress.")
  static let messagesDropped = MetricFamily(
    "sluice_messages_dropped_total", .counter, by: ["route", "reason"], "Clients' messages that a limit threw away.")
  static let throttledConnections = MetricFamily(
    "sluice_throttled_connections", .gauge, "WebSockets whose client a limit makes wait.")
  static let throttleEvents = MetricFamily(
    "sluice_throttle_events_total", .counter, by: ["scope", "action"], "Times that a limit on messages or frames was met.")
  static let sendQueueBytes = MetricFamily("sluice_send_queue_bytes", .gauge, "Bytes that wait for slow peers.")

  // Workers
  static let workerUp = MetricFamily(
    "sluice_worker_up", .gauge, by: ["pool", "worker"], "0 if the worker failed health checks or clients, else 1.")
  static let poolReadyWorkers = MetricFamily(
    "sluice_pool_ready_workers", .gauge, by: ["pool"], "Workers of the pool that take new clients.")
  static let workerConnections = MetricFamily(
    "sluice_worker_connections", .gauge, by: ["pool", "worker"], "Connections that the worker carries.")
  static let workerConnectDuration = MetricFamily(
    "sluice_worker_connect_duration_seconds", .histogram, "How long connecting to a worker took.")
  static let workerConnectFailures = MetricFamily(
    "sluice_worker_connect_failures_total", .counter, by: ["pool", "worker", "reason"], "Failed connects to a worker.")

  // What operators do
  static let configReloads = MetricFamily(
    "sluice_config_reloads_total", .counter, by: ["result"], "Reloads of the configuration that ended.")
  static let configLastReloadSuccessful = MetricFamily(
    "sluice_config_last_reload_successful", .gauge,
    "0 if the last reload was refused and the configuration before it serves on, else 1.")
  static let adminActions = MetricFamily(
    "sluice_admin_actions_total", .counter, by: ["action", "result"], "Changes that were asked for on the admin plane.")

  // The standard process metrics, which bear no prefix
  static let processCPU = MetricFamily(
    "process_cpu_seconds_total", .counter, "User and system CPU time spent, in seconds.")
  static let processResident = MetricFamily("process_resident_memory_bytes", .gauge, "Resident memory, in bytes.")
  static let processVirtual = MetricFamily("process_virtual_memory_bytes", .gauge, "Virtual memory, in bytes.")
  static let processOpenDescriptors = MetricFamily("process_open_fds", .gauge, "Open file descriptors.")
  static let processMaxDescriptors = MetricFamily("process_max_fds", .gauge, "The most file descriptors that may be open.")
  static let processStart = MetricFamily(
    "process_start_time_seconds", .gauge, "When the process started, in Unix time.")
}
