// SPDX-License-Identifier: Apache-2.0

internal import EventLoop
internal import XML

/// Pings (XEP-0199) of a domain to itself, and what their coming back tells; event by event, no I/O.
///
/// They go through the server and back and tell nobody else that we are there, not even the domain's parent, which may be
/// on another server. The first ones come from many addresses, since servers that let several programs connect as one
/// domain choose between them by chance (ejabberd) or by the sender (jabberd2, and ejabberd with `domain_balancing`), and
/// say nothing to either of them: only Prosody says `<conflict/>`. So the domain is ours when all come back; when some
/// do, somebody else has it too.
struct DomainPings {
  /// What is known.
  enum State: Hashable {
    /// Nothing yet.
    case awaited
    /// They come back, all of them; or some, where others may have the rest.
    case work
    /// None came back. The server may just not do that.
    case lost
    /// Some came back, or none where some must.
    case taken
  }

  /// How many are sent at first: as many come back by chance to one of two programs once in 65,536 times.
  static let first = 16
  /// How many are sent each time where others serve the domain: of eight programs one is left out once in 5,000 times.
  static let balanced = 64
  /// How long they are waited for.
  static let patience = Duration.seconds(10)

  private let domain: String
  private let isBalanced: Bool
  /// Nobody else can know it.
  private let id: String
  private(set) var state = State.awaited
  private(set) var deadline: MonotonicTime
  private var returned = 0

  /// - Parameters:
  ///   - isBalanced: whether others serve the domain, too.
  ///   - id: what nobody else can know.
  init(domain: String, isBalanced: Bool, id: String, at now: MonotonicTime) {
    self.domain = domain
    self.isBalanced = isBalanced
    self.id = id
    deadline = now + Self.patience
  }

  /// What is to be sent now.
  var stanzas: [Element] {
    let count = isBalanced ? Self.balanced : state == .awaited ? Self.first : 1
    return (0..<count).map { number in
      let attributes: KeyValuePairs<String, String?> = [
        "type": "get", "from": "\(number).\(id)@\(domain)", "to": domain, "id": id,
      ]
      return Element("iq", Namespace.client, attributes, children: [Element("ping", Namespace.ping)])
    }
  }

  /// Whether a stanza is one of the pings, back again or answered by whatever there is in between.
  func areAnswered(by stanza: Element) -> Bool { stanza.name == "iq" && stanza.attribute("id") == id }

  /// Whether a stanza is a ping of another program that serves our domain: nobody else can speak for it.
  func areOfAnother(_ stanza: Stanza) -> Bool {
    guard case .iq(let iq) = stanza, iq.type == .get, iq.from?.domain == domain, iq.to?.domain == domain else {
      return false
    }
    return iq.payload.first?.matches("ping", Namespace.ping) == true
  }

  /// One has come back.
  mutating func answered() {
    returned += 1
    if state == .awaited, isBalanced || returned == Self.first { state = .work }
  }

  /// Looks at what has come back when ``deadline`` has passed.
  mutating func timePassed(at now: MonotonicTime) {
    guard state == .awaited, now >= deadline else { return }
    state = returned == 0 && !isBalanced ? .lost : .taken
  }
}
