import EdgeAuth
import EdgeCore
import EdgeHTTP
import EdgePolicy
import EdgeTLS
import EdgeWebSocket

/// A request that the gate let in: where it goes, who sent it, and how the worker gets it.
struct Admission {
  let route: Route
  let caller: Caller
  /// How long the user's token is good for; nil where no user is known.
  let token: TokenLife?
  let upgrade: Upgrade?
  /// What the client spoke, to the edge or to a trusted proxy before it.
  let scheme: HTTPScheme
  /// The request's head as the worker gets it, rebuilt from parsed fields.
  let workerHead: [UInt8]

  /// - Parameters:
  ///   - head: the client's request, without what the route strips.
  ///   - certificateFields: what the worker is told of the client's certificate.
  init(
    route: Route, head: RequestHead, origin: RequestOrigin, user: AuthenticatedUser?, upgrade: Upgrade?,
    certificateFields: [HTTPField], places: HeldPlaces, context: ReactorContext
  ) {
    self.route = route
    self.upgrade = upgrade
    scheme = origin.scheme
    token = user?.token
    let trace = head.traceParent ?? TraceParent(random: (context.random.word(), context.random.word(), context.random.word()))
    let clientsRequestID = head.requestID
    caller = Caller(
      address: origin.clientAddress, host: head.host.map { context.texts.shared($0) },
      path: context.texts.shared(head.target.path), origin: head.fields["Origin"].map { context.texts.shared($0) },
      user: user?.id, clientsRequestID: clientsRequestID, traceID: trace.traceID, places: places)
    var identityFields = user?.identityFields ?? route.fixedFields
    if !certificateFields.isEmpty { identityFields += certificateFields }
    let forwarding = ForwardingContext(
      clientChain: origin.clientChain, scheme: origin.scheme, port: head.authority?.port ?? origin.scheme.defaultPort,
      requestID: clientsRequestID, traceParent: trace, identityFields: identityFields,
      identityNames: context.snapshot.identityNames)
    var bytes: [UInt8] = []
    if let upgrade {
      WorkerRequest(upgrading: head, context: forwarding, handshake: upgrade.worker.fields).serialize(into: &bytes)
    } else {
      WorkerRequest(head, context: forwarding, forwardsExpectation: true).serialize(into: &bytes)
    }
    workerHead = bytes
  }
}

/// Who a request is from, and what names it: what logs and the admin plane say for as long as it lasts.
final class Caller: Sendable {
  /// The client's own address; nil for a peer on a Unix socket that tells none.
  let address: IPAddress?
  /// The host that was asked for, in normal form.
  let host: String?
  /// The path in normal form, without the query.
  let path: String
  /// The request's `Origin`.
  let origin: String?
  let user: UserID?
  /// The client's own name for the request, if it gave one.
  let clientsRequestID: String?
  let traceID: TraceID
  private let places: HeldPlaces

  init(
    address: IPAddress?, host: String?, path: String, origin: String?, user: UserID?, clientsRequestID: String?,
    traceID: TraceID, places: HeldPlaces
  ) {
    self.address = address
    self.host = host
    self.path = path
    self.origin = origin
    self.user = user
    self.clientsRequestID = clientsRequestID
    self.traceID = traceID
    self.places = places
  }

  /// Whether a newer WebSocket of the same user has taken this one's place.
  var isReplaced: Bool { places.user?.isReplaced == true }

  /// What messages are charged to besides the limits of the connection, and of the address that it was accepted from.
  var meters: [HeldMeter] { (places.address?.meters ?? []) + (places.user?.meters ?? []) }

  /// The request has ended, and the WebSocket that it became.
  func giveBackPlaces() {
    places.address?.giveBack()
    places.user?.giveBack()
  }

  /// The request's name. Where the client gives none, the trace's serves for both.
  var requestID: String { clientsRequestID ?? traceID.description }
}
