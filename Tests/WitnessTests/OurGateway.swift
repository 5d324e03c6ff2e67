// SPDX-License-Identifier: Apache-2.0

import Support

/// A gateway in the hands of the program under test, driven over D-Bus alone.
struct OurGateway {
  /// Its domain.
  static let domain = XMPPServer.componentDomain

  /// The address that stands for somebody elsewhere.
  static func address(_ local: String) -> String { "\(local)@\(domain)" }

  /// Its object.
  let path: String

  private let bus: RawBus

  /// Adds one, not yet connected.
  /// - Parameters:
  ///   - parameters: of AddConnection; those of the server and the secret are there unless they are given.
  ///   - bus: the owner's connection.
  ///   - server: whose component it is.
  init(_ parameters: [String: BusValue] = [:], on bus: RawBus, server: XMPPServer) throws {
    self.bus = bus
    let usual: [String: BusValue] = [
      "protocol": .string("xmpp-component"), "password": .string(XMPPServer.componentSecret),
      "server": .string("127.0.0.1"), "port": .uint16(server.componentPort),
    ]
    let all = usual.merging(parameters) { $1 }
    path =
      try bus.call(
        DaemonProcess.busName, "/org/nightcloak/Presence1", "org.nightcloak.Presence1.Manager", "AddConnection",
        [.string(Self.domain), .array("{sv}", all.map { .entry(.string($0.key), .variant($0.value)) })]
      ).first?.text ?? ""
  }

  /// Calls a method of the object.
  /// - Parameter caller: who does; the owner when not given.
  @discardableResult
  func call(
    _ interface: OurAccount.Interface, _ member: String, _ arguments: [BusValue] = [], by caller: RawBus? = nil
  ) throws -> [BusValue] {
    let bus = caller ?? bus
    return try bus.finish(begin(interface, member, arguments, by: bus))
  }

  /// Calls a method without waiting.
  func begin(
    _ interface: OurAccount.Interface, _ member: String, _ arguments: [BusValue] = [], by caller: RawBus? = nil
  ) throws -> RawBus.Pending {
    try (caller ?? bus).begin(
      DaemonProcess.busName, path, "org.nightcloak.Presence1.\(interface.rawValue)", member, arguments)
  }

  /// What a call is refused with; nil when it is not.
  func refusal(
    _ interface: OurAccount.Interface, _ member: String, _ arguments: [BusValue] = []
  ) throws -> RawBus.Refusal? {
    do {
      try call(interface, member, arguments)
      return nil
    } catch let refusal as RawBus.Refusal {
      return refusal
    }
  }

  /// The value of a property.
  func get(_ interface: OurAccount.Interface, _ property: String) throws -> BusValue {
    let reply = try bus.call(
      DaemonProcess.busName, path, "org.freedesktop.DBus.Properties", "Get",
      [.string("org.nightcloak.Presence1.\(interface.rawValue)"), .string(property)])
    guard case .variant(let value)? = reply.first else { throw WitnessError("\(property) is no variant: \(reply)") }
    return value
  }

  func setPolicy(_ policy: String) throws {
    try bus.call(
      DaemonProcess.busName, path, "org.freedesktop.DBus.Properties", "Set",
      [.string("org.nightcloak.Presence1.Decloak"), .string("Policy"), .variant(.string(policy))])
  }

  func setRule(_ subject: String, _ decision: String) throws {
    try call(.Decloak, "SetRule", [.string(subject), .string(decision)])
  }

  /// A list that a method returns.
  func list(_ interface: OurAccount.Interface, _ member: String, _ arguments: [BusValue] = []) throws -> [BusValue] {
    try call(interface, member, arguments)[0].list
  }

  /// The sessions in which somebody sees an address.
  func sessions() throws -> [BusValue] {
    try list(.Decloak, "ListSessions").filter { $0["Direction"]?.text == "they-see-me" }
  }

  /// The requests that wait, each as `asker asked`.
  func pending() throws -> [String] {
    try list(.Decloak, "ListRequests").map { "\($0["Requester"]?.text ?? "") \($0["Target"]?.text ?? "")" }
  }

  /// When this returns, the gateway has answered all that `client` sent before, and the answers have come. Nobody is there
  /// whom it asks: even so there is an answer.
  func fence(_ client: RawClient) throws { try client.iq("get", to: Self.nobody, "<ping xmlns='urn:xmpp:ping'/>") }

  /// An address that stands for nobody.
  static let nobody = address("nobody\\20here")
}

extension Witness {
  /// A gateway that is connected and does with requests what `policy` says.
  func gateway(_ policy: String, _ parameters: [String: BusValue] = [:]) throws -> OurGateway {
    let gateway = try OurGateway(parameters, on: owner, server: server)
    try takeInterest()
    try gateway.call(.Connection, "Connect")
    try gateway.setPolicy(policy)
    owner.passAll()
    return gateway
  }

  /// Somebody who is online: some servers pass on to nobody else what comes from a component (measured).
  func asker(_ role: String) throws -> RawClient {
    let client = try client(role)
    try client.send("<presence/>")
    try client.ping()
    client.passAll()
    return client
  }
}
