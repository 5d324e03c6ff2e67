// SPDX-License-Identifier: Apache-2.0

/// An XMPP client made of a socket and strings, that keeps every byte it receives.
public final class RawClient {
  /// A stanza that was received.
  public struct Received: Sendable {
    /// Its bytes.
    public let raw: String
    /// What they say.
    public let node: Node
  }

  /// What the story calls it.
  public let name: String
  /// The address it has been given: a full JID, or a component's domain.
  public private(set) var jid = ""
  /// Everything received, but for the answers to its own pings of the server.
  public private(set) var received: [Received] = []
  /// Everything sent after the log-in.
  public private(set) var sent = ""
  /// How much of `received` ``expect(_:within:where:)`` has passed.
  public private(set) var mark = 0
  /// How much of `received` was judged by the model.
  var judged = 0
  /// Whether the server has closed the stream.
  public private(set) var isClosed = false

  /// The address without the resource.
  public var bare: String { bareJID(jid) }

  private let socket: Socket
  private var splitter = StanzaSplitter()
  private var header: String?
  private var serial = 0

  private init(name: String, port: UInt16) throws {
    self.name = name
    socket = try Socket(port: port)
  }

  /// Logs in to localhost by SASL PLAIN, and binds `resource` or one that the server makes.
  public static func login(
    name: String, port: UInt16, user: String, password: String, resource: String? = nil
  ) throws -> RawClient {
    // jabberd2 fails now and then where another connection has just ended (measured): that is a try that did not count.
    let deadline = Deadline(.seconds(10))
    while true {
      do {
        return try logInOnce(name: name, port: port, user: user, password: password, resource: resource)
      } catch let error as WitnessError
        where error.description.contains("<internal-server-error") && !deadline.hasPassed
      {}
    }
  }

  private static func logInOnce(
    name: String, port: UInt16, user: String, password: String, resource: String?
  ) throws -> RawClient {
    let client = try RawClient(name: name, port: port)
    try client.open()
    let token = base64([0] + Array(user.utf8) + [0] + Array(password.utf8))
    try client.write("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>\(token)</auth>")
    let outcome = try client.next("the outcome of the authentication")
    guard outcome.node.name == "success" else { throw WitnessError("\(name) cannot log in: \(outcome.raw)") }
    try client.open()
    let wanted = resource.map { "<resource>\(escaped($0))</resource>" } ?? ""
    let bound = try client.iq("set", to: nil, "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\(wanted)</bind>")
    guard let jid = bound.child("bind")?.child("jid")?.text, !jid.isEmpty else {
      throw WitnessError("\(name) cannot bind: \(bound.canonical)")
    }
    client.jid = jid
    client.received = []
    client.sent = ""
    client.mark = 0
    return client
  }

  /// Makes an account in-band (XEP-0077).
  public static func register(port: UInt16, user: String, password: String) throws {
    let client = try RawClient(name: user, port: port)
    try client.open()
    let fields = "<username>\(escaped(user))</username><password>\(escaped(password))</password>"
    let answer = try client.iq("set", to: nil, "<query xmlns='jabber:iq:register'>\(fields)</query>")
    guard answer["type"] == "result" else { throw WitnessError("\(user) cannot be registered: \(answer.canonical)") }
    try client.close()
  }

  /// Connects as an external component (XEP-0114).
  public static func component(name: String, port: UInt16, domain: String, secret: String) throws -> RawClient {
    let client = try RawClient(name: name, port: port)
    let namespaces = "xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams'"
    try client.write("<stream:stream \(namespaces) to='\(domain)'>")
    let header = try client.awaitHeader()
    guard let id = Node(header + "</stream:stream>")?["id"] else {
      throw WitnessError("a stream without id: \(header)")
    }
    try client.write("<handshake>\(try sha1(id + secret))</handshake>")
    let answer = try client.next("the outcome of the handshake")
    guard answer.node.name == "handshake" else { throw WitnessError("\(name) cannot log in: \(answer.raw)") }
    client.jid = domain
    client.received = []
    client.sent = ""
    client.mark = 0
    return client
  }

  // MARK: Sending

  /// Sends bytes as they are.
  public func send(_ xml: String) throws {
    sent += xml
    try write(xml)
  }

  /// Sends an IQ and waits for its answer, which it takes from anybody.
  @discardableResult
  public func iq(_ type: String, to: String?, _ payload: String, within: Duration = .seconds(10)) throws -> Node {
    let id = nextID()
    let address = (to.map { " to='\(escaped($0))'" } ?? "") + (jid.contains("@") || jid.isEmpty ? "" : " from='\(jid)'")
    try send("<iq type='\(type)' id='\(id)'\(address)>\(payload)</iq>")
    return try awaitStanza("the answer to \(payload)", within: within) { $0.name == "iq" && $0["id"] == id }.node
  }

  /// A round trip through the server: what it routed to us before has come when this returns.
  public func ping() throws {
    let id = nextID()
    let from = jid.contains("@") ? "" : " from='\(jid)'"
    try write("<iq type='get' id='\(id)' to='localhost'\(from)><ping xmlns='urn:xmpp:ping'/></iq>")
    let isPong = { (node: Node) in node.name == "iq" && node["id"] == id }
    _ = try awaitStanza("the server's pong", within: .seconds(10), where: isPong)
    received.removeAll { isPong($0.node) }
  }

  /// Asks the server for a round trip, without waiting.
  /// - Returns: what ``finishPing(_:)`` takes.
  public func beginPing() throws -> String {
    let id = nextID()
    try write("<iq type='get' id='\(id)' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>")
    return id
  }

  /// Waits for the end of a round trip.
  public func finishPing(_ id: String) throws {
    let isPong = { (node: Node) in node.name == "iq" && node["id"] == id }
    _ = try awaitStanza("the server's pong", within: .seconds(10), where: isPong)
    received.removeAll { isPong($0.node) }
  }

  /// Forgets what was sent and received up to now: what runs for long would keep ever more.
  /// - Returns: what was received.
  public func takeAll() -> [Received] {
    defer {
      received = []
      sent = ""
      mark = 0
      judged = 0
    }
    return received
  }

  /// Receives all that comes until the server closes the connection.
  public func receiveRest(within duration: Duration) {
    let deadline = Deadline(duration)
    while !isClosed, !deadline.hasPassed { receive(before: deadline) }
  }

  /// A new id for a stanza.
  public func nextID() -> String {
    serial += 1
    return "w\(serial)"
  }

  /// Ends the stream properly and waits until the server has done so, too.
  public func close() throws {
    guard !isClosed else { return }
    try write("</stream:stream>")
    let deadline = Deadline(.seconds(5))
    while !isClosed, !deadline.hasPassed { receive(before: deadline) }
  }

  /// Cuts the connection.
  public func abort() { socket.abort() }

  // MARK: Receiving

  /// Waits for a stanza later than those already expected, or than `from` others, and passes it.
  @discardableResult
  public func expect(
    _ what: String, within: Duration = .seconds(10), from: Int? = nil, where matches: (Node) -> Bool
  ) throws -> Received {
    let found = try awaitStanza(what, within: within, from: from ?? mark, where: matches)
    return found
  }

  /// What has come since ``expect(_:within:where:)`` passed something, or since ``passAll()``.
  public var unexpected: [Received] { Array(received.dropFirst(mark)) }

  /// Whether a stanza is of the client's own account: its own presence comes back to it, and what has no sender is its
  /// server's for it (RFC 6120 §8.1.2.1).
  public func isOwn(_ node: Node) -> Bool { node["from"].map { bareJID($0) == bare } ?? true }

  /// Takes note of everything received up to now.
  public func passAll() { mark = received.count }

  private func awaitStanza(
    _ what: String, within: Duration, from: Int? = nil, where matches: (Node) -> Bool
  ) throws -> Received {
    let deadline = Deadline(within)
    var next = from ?? 0
    while true {
      while next < received.count {
        if matches(received[next].node) {
          if from != nil { mark = next + 1 }
          return received[next]
        }
        next += 1
      }
      guard !isClosed, !deadline.hasPassed else {
        let since = received.dropFirst(from ?? 0).map(\.raw).joined(separator: "\n  ")
        throw WitnessError(
          "\(name) (\(jid)) waited for \(what) in vain\(isClosed ? ", and the stream is closed" : ""); came:\n  \(since)"
        )
      }
      receive(before: deadline)
    }
  }

  private func next(_ what: String) throws -> Received {
    let count = received.count
    return try awaitStanza(what, within: .seconds(10), from: count) { _ in true }
  }

  private func open() throws {
    splitter = StanzaSplitter()
    header = nil
    let namespaces = "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
    let count = received.count
    try write("<stream:stream to='localhost' version='1.0' \(namespaces)>")
    _ = try awaitHeader()
    _ = try awaitStanza("the stream's features", within: .seconds(10), from: count) { $0.name == "stream:features" }
  }

  private func awaitHeader() throws -> String {
    let deadline = Deadline(.seconds(10))
    while true {
      if let header { return header }
      guard !isClosed, !deadline.hasPassed else { throw WitnessError("\(name): the server opens no stream") }
      receive(before: deadline)
    }
  }

  private func receive(before deadline: Deadline) {
    guard let bytes = socket.receive(before: deadline) else { return }
    guard !bytes.isEmpty else {
      isClosed = true
      return
    }
    for piece in splitter.feed(bytes) {
      switch piece {
      case .header(let text): header = text
      case .stanza(let raw): received.append(Received(raw: raw, node: Node(raw) ?? Node(name: "?")))
      case .end: isClosed = true
      }
    }
  }

  private func write(_ text: String) throws { try socket.send(Array(text.utf8)) }
}

/// A JID without its resource.
public func bareJID(_ jid: String) -> String { String(jid.prefix { $0 != "/" }) }
