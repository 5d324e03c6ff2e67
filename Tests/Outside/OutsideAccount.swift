// SPDX-License-Identifier: Apache-2.0

import Support

/// Our account in the hands of the program.
final class OutsideAccount: OutsideProgram {
  /// The full JID at the last look; "" when not connected.
  private(set) var fullJID = ""
  /// All resources that it has had.
  private(set) var resources: Set<String> = []

  private let user: String
  private let server: XMPPServer
  private let mechanism: String?
  // A second resource of the same person, never available: it is always inside, so its questions are answered.
  private var second: RawClient?

  init(_ user: String, _ server: XMPPServer, mechanism: String?, logLevel: String?) throws {
    self.user = user
    self.server = server
    self.mechanism = mechanism
    try super.init("\(user)@localhost", port: server.clientPort, logLevel: logLevel)
  }

  override func end() {
    second?.abort()
    super.end()
  }

  override var parameters: [(String, BusValue)] {
    let usual: [(String, BusValue)] = [
      ("password", .string("pass-\(user)")), ("server", .string("127.0.0.1")), ("port", .uint16(proxy.port)),
      ("ca-file", .string(server.certificate)),
    ]
    return usual + (mechanism.map { [("mechanism", .string($0))] } ?? [])
  }

  /// Adds the account; what is known of it is kept.
  /// - Parameter visibility: what holds before the first presence.
  func add(visibility: String) throws { try add(parameters + [("visibility", .string(visibility))]) }

  /// Learns the present full JID.
  func look() throws {
    fullJID = try get(.Connection, "Jid").text
    if let slash = fullJID.firstIndex(of: "/") { resources.insert(String(fullJID[fullJID.index(after: slash)...])) }
  }

  // MARK: The second device

  /// The second device, logged in.
  func device() throws -> RawClient {
    if let second, !second.isClosed { return second }
    let new = try RawClient.login(
      name: "the second device", port: server.clientPort, user: user, password: "pass-\(user)", resource: "second")
    second = new
    return new
  }

  func deviceWasLeft() {
    second?.receiveRest(within: .seconds(5))
    second = nil
  }

  /// Through the server to the program and back: what it sent before has left when this returns.
  func fence() throws {
    try look()
    let deadline = Deadline(.seconds(10))
    while !fullJID.isEmpty {
      let answer = try device().iq("get", to: fullJID, "<ping xmlns='urn:xmpp:ping'/>")
      if answer["type"] == "result" { break }
      guard !deadline.hasPassed else { throw WitnessError("\(fullJID) does not answer: \(answer.canonical)") }
      try look()
    }
    _ = second?.takeAll()
    try pingProgram()
  }
}
