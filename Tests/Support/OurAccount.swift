// SPDX-License-Identifier: Apache-2.0

/// An account that is in the hands of the program under test, driven over D-Bus alone.
public final class OurAccount {
  /// The interfaces of an account's object, by what follows "org.nightcloak.Presence1.".
  public enum Interface: String, Sendable { case Connection, Decloak, Visibility, Stanzas }

  /// What the story calls it.
  public let role: String
  /// Its bare JID.
  public let jid: String
  /// The user's name on the server.
  public let user: String
  /// Its object.
  public let path: String
  /// Its full JID when it last was connected.
  public private(set) var lastFullJID: String?
  /// A second resource of the same person. It is always in the audience, so that its questions are answered, and it is
  /// never available, so that nobody else knows of it.
  private(set) var probe: RawClient?

  private let bus: RawBus
  private let server: XMPPServer
  private var isConnected = false

  init(
    role: String, user: String, bus: RawBus, server: XMPPServer, parameters: KeyValuePairs<String, BusValue>
  ) throws {
    self.role = role
    self.user = user
    jid = "\(user)@localhost"
    self.bus = bus
    self.server = server
    var all: [(String, BusValue)] = [
      ("password", .string("pass-\(user)")), ("server", .string("127.0.0.1")),
      ("port", .uint16(server.clientPort)), ("ca-file", .string(server.certificate)),
    ]
    // A fingerprint takes the place of the authorities.
    all.removeAll { given in
      parameters.contains { $0.key == given.0 || $0.key == "fingerprint" && given.0 == "ca-file" }
    }
    all += parameters.map { ($0.key, $0.value) }
    let options = BusValue.array("{sv}", all.map { .entry(.string($0.0), .variant($0.1)) })
    path =
      try bus.call(
        DaemonProcess.busName, "/org/nightcloak/Presence1", "org.nightcloak.Presence1.Manager", "AddConnection",
        [.string(jid), options]
      ).first?.text ?? ""
  }

  /// Calls a method of the object.
  @discardableResult
  public func call(_ interface: Interface, _ member: String, _ arguments: [BusValue] = []) throws -> [BusValue] {
    try bus.finish(begin(interface, member, arguments))
  }

  /// Calls a method of the object without waiting.
  public func begin(_ interface: Interface, _ member: String, _ arguments: [BusValue] = []) throws -> RawBus.Pending {
    try bus.begin(DaemonProcess.busName, path, name(interface), member, arguments)
  }

  /// The value of a property.
  public func get(_ interface: Interface, _ property: String) throws -> BusValue {
    let reply = try bus.call(
      DaemonProcess.busName, path, "org.freedesktop.DBus.Properties", "Get",
      [.string(name(interface)), .string(property)])
    guard case .variant(let value)? = reply.first else { throw WitnessError("\(property) is no variant: \(reply)") }
    return value
  }

  /// Sets a property.
  public func set(_ interface: Interface, _ property: String, _ value: BusValue) throws {
    try bus.call(
      DaemonProcess.busName, path, "org.freedesktop.DBus.Properties", "Set",
      [.string(name(interface)), .string(property), .variant(value)])
  }

  /// Connects, and has the second resource log in, too.
  public func connect() throws {
    try call(.Connection, "Connect")
    lastFullJID = try get(.Connection, "Jid").text
    isConnected = true
    if probe == nil {
      probe = try RawClient.login(
        name: "\(role)'s second device", port: server.clientPort, user: user, password: "pass-\(user)",
        resource: "second")
    }
  }

  /// Disconnects.
  public func disconnect() throws {
    isConnected = false
    try call(.Connection, "Disconnect")
  }

  /// Says that the program is gone, so that fences do not wait for it.
  public func isGone() { isConnected = false }

  /// Its full JID now.
  public func fullJID() throws -> String {
    let full = try get(.Connection, "Jid").text
    guard full.contains("/") else { throw WitnessError("\(jid) has no full JID: \"\(full)\"") }
    lastFullJID = full
    return full
  }

  /// A question of the own other resource to the program, through the server, and its answer.
  func fence() throws {
    guard isConnected, let probe, let full = lastFullJID else { return }
    try probe.iq("get", to: full, "<ping xmlns='urn:xmpp:ping'/>")
  }

  private func name(_ interface: Interface) -> String { "org.nightcloak.Presence1.\(interface.rawValue)" }
}
