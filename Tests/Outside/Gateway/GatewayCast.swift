// SPDX-License-Identifier: Apache-2.0

import Support

/// Everybody who asks the gateway: clients of its server, and people of another domain.
final class GatewayCast {
  /// The other domain, whose people one component speaks for.
  static let house = "capulet.localhost"

  let askers = [
    Asker("juliet", "one"), Asker("juliet", "two"), Asker("nurse", "one"), Asker("tybalt", "one"),
    Asker("paris", "one", at: house), Asker("paris", "two", at: house), Asker("rosaline", "one", at: house),
  ]
  var present: [Asker] { askers.filter(\.isThere) }
  private let server: XMPPServer
  private var component: RawClient?

  init(on server: XMPPServer) throws {
    self.server = server
    for name in Set(askers.filter { !$0.isForeign }.map(\.user)) {
      try server.addAccount(name, password: "pass-\(name)")
    }
  }

  // MARK: Coming and going

  func connectHouse() throws {
    component = try RawClient.component(
      name: Self.house, port: server.componentPort, domain: Self.house, secret: XMPPServer.componentSecret)
  }

  func logIn(_ asker: Asker) throws {
    asker.forget()
    asker.isThere = true
    guard !asker.isForeign else {
      // As their server would do it (RFC 6121 §4.3).
      for address in asker.roster.sorted() { try send(asker, "presence", to: address, "type='probe'") }
      return
    }
    let client = try RawClient.login(
      name: asker.role, port: server.clientPort, user: asker.user, password: "pass-\(asker.user)",
      resource: asker.resource)
    asker.client = client
    // Without it some servers send no subscription requests, nor what comes of them.
    try client.iq("get", to: nil, "<query xmlns='jabber:iq:roster'/>")
    try client.send("<presence/>")
    try client.ping()
  }

  /// - Returns: what came until the end.
  func logOut(_ asker: Asker) throws -> [RawClient.Received] {
    asker.isThere = false
    guard !asker.isForeign else {
      for address in asker.directed.sorted() { try send(asker, "presence", to: address, "type='unavailable'") }
      return []
    }
    defer { asker.client = nil }
    try asker.client?.close()
    return asker.client?.takeAll() ?? []
  }

  /// Receives the rest after the server has gone.
  func wasLeft() -> [(Asker, RawClient.Received)] {
    component?.receiveRest(within: .seconds(5))
    for asker in present { asker.client?.receiveRest(within: .seconds(5)) }
    let rest = takeAll()
    component = nil
    for asker in present { asker.client = nil }
    return rest
  }

  func end() {
    component?.abort()
    for asker in askers { asker.client?.abort() }
  }

  // MARK: Stanzas

  /// Sends a stanza of somebody's.
  /// - Parameter isOfAccount: whether it is of all resources, as those about subscriptions are.
  func send(
    _ asker: Asker, _ name: String, to address: String, _ attributes: String, _ content: String = "",
    isOfAccount: Bool = false
  ) throws {
    let from = asker.isForeign ? " from='\(isOfAccount ? asker.bare : asker.full)'" : ""
    guard let client = asker.isForeign ? component : asker.client else {
      throw WitnessError("\(asker.role) is not there")
    }
    try client.send("<\(name)\(from) to='\(escaped(address))' \(attributes)>\(content)</\(name)>")
  }

  /// An id for a stanza of somebody's, that no other has.
  func nextID(_ asker: Asker) -> String {
    "\(asker.user)-\((asker.isForeign ? component : asker.client)?.nextID() ?? "")"
  }

  /// All that has come, and for whom. What is for an account is for all of its resources, and what is for a resource that
  /// is not there for nobody.
  func takeAll() -> [(Asker, RawClient.Received)] {
    var all = askers.flatMap { asker in (asker.client?.takeAll() ?? []).map { (asker, $0) } }
    for stanza in component?.takeAll() ?? [] {
      guard let to = stanza.node["to"] else { continue }
      all += present.filter { $0.isForeign && [$0.bare, $0.full].contains(to) }.map { ($0, stanza) }
    }
    return all
  }

  /// When this returns, what everybody sent before has been through the server, the gateway, where it is connected, and the
  /// server again, and what came of it has been received.
  /// - Throws: where something answers for an address that stands for nobody, though nobody was told so.
  func fence() throws {
    let ping = "<ping xmlns='urn:xmpp:ping'/>"
    let clients = (askers.compactMap(\.client) + [component]).compactMap { $0 }
    for client in clients { try client.ping() }
    var waiting: [(RawClient, String)] = []
    for client in clients {
      let from = client.jid.contains("@") ? "" : " from='fence@\(client.jid)'"
      let id = client.nextID()
      try client.send("<iq type='get' id='\(id)'\(from) to='\(AskedAddress.nobody)'>\(ping)</iq>")
      waiting.append((client, id))
    }
    for (client, id) in waiting {
      let answer = try client.expect("the answer of nobody", from: 0) { $0.name == "iq" && $0["id"] == id }
      guard answer.node["type"] == "error" else { throw WitnessError("leak: nobody answers: \(answer.raw)") }
    }
    for client in clients { try client.ping() }
  }
}
