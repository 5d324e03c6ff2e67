// SPDX-License-Identifier: Apache-2.0

internal import DBus
internal import DBusInterfaces
internal import EventLoop

/// Somebody with an account and a client of their own on the bus. All that they do is a D-Bus call, shown as it would
/// be typed and checked when it is answered.
@LoopActor
final class Person {
  /// A signal that came.
  struct Heard {
    let member: String
    let values: [Value]

    /// An argument that is a string.
    func text(_ index: Int) -> String { values.indices.contains(index) ? values[index].as(String.self) ?? "" : "" }
  }

  typealias Entry = [String: Value]

  static let manager: ObjectPath = "/org/nightcloak/Presence1"
  private static let limit: Duration = .seconds(10)

  let name: String
  let account: String
  /// The account's local part.
  let user: String
  let heard = Record<Heard>()
  /// The full JID, once connected.
  private(set) var jid = ""
  private(set) var path = Person.manager
  private let bus: BusConnection
  private let narrator: Narrator

  /// Comes onto the bus.
  /// - Parameter account: whose it is when it is not one of the same name.
  /// - Throws: ``DBusError``.
  init(_ name: String, account: String? = nil, at address: String, _ narrator: Narrator) async throws {
    self.name = name
    self.narrator = narrator
    user = name.lowercased()
    self.account = account ?? user + "@localhost"
    bus = try await BusConnection.open(.address(address))
  }

  /// Adds the account, and listens.
  /// - Parameters:
  ///   - port: of the server.
  ///   - others: parameters beside the usual ones, or in their place.
  ///   - aside: as for ``call(_:_:_:on:aside:)``.
  /// - Throws: ``DemoFailure``, ``DBusError``.
  func add(port: UInt16, _ others: Entry = [:], aside: Bool = false) async throws {
    let usual: Entry = [
      "password": .string(Stage.password), "server": .string("127.0.0.1"), "port": .uint16(port), "tls": .string("off"),
    ]
    let parameters = usual.merging(others) { $1 }
    let added = try await call(
      ManagerProxy.interface, "AddConnection", .string(account), parameters.value, on: Self.manager,
      aside: aside)
    guard case .objectPath(let path)? = added.first else { throw DemoFailure("AddConnection gave no object") }
    self.path = path
    _ = try await bus.match(SignalFilter(sender: Stage.serviceName, path: path)) { [heard] signal in
      heard.add(Heard(member: signal.member, values: (try? signal.values()) ?? []))
    }
    try await call(
      ManagerProxy.interface, "AddClientInterest", [DecloakProxy.interface].value, on: Self.manager, aside: aside)
  }

  /// Connects.
  /// - Throws: ``DBusError``.
  func connect(aside: Bool = false) async throws {
    try await call(ConnectionProxy.interface, "Connect", aside: aside)
    jid = try await ConnectionProxy(bus, Stage.serviceName, path).jid
  }

  /// Calls a method, of the account's object unless told otherwise, and tells of it unless it is `aside`.
  /// - Throws: ``DBusError``, also when no answer comes in time.
  @discardableResult
  func call(
    _ interface: String, _ member: String, _ arguments: Value..., on object: ObjectPath? = nil, aside: Bool = false
  ) async throws -> [Value] {
    let object = object ?? path
    if !aside {
      let target = object == Self.manager ? "$M" : "$\(name.prefix(1))"
      narrator.call(name, ["call", target, BusctlForm.short(interface), member] + BusctlForm.words(arguments))
    }
    return try await bus.call(Stage.serviceName, object, interface, member, arguments, timeout: Self.limit)
  }

  /// Says how the person is.
  /// - Throws: ``DBusError``.
  func setPresence(_ show: String, _ status: String) async throws {
    try await call(ConnectionProxy.interface, "SetPresence", .string(show), .string(status), Entry().value)
  }

  /// How the server is made to hide the person.
  /// - Throws: ``DBusError``.
  var mechanism: String {
    get async throws { try await VisibilityProxy(bus, Stage.serviceName, path).mechanism }
  }

  /// Sets what becomes of requests.
  /// - Throws: ``DBusError``.
  func setPolicy(_ policy: String) async throws {
    let call = [
      "busctl", "--address=$B", "set-property", "$N", "$\(name.prefix(1))", BusctlForm.short(DecloakProxy.interface),
    ]
    narrator.call(name, call + ["Policy", "s", policy])
    try await decloak.setPolicy(policy)
  }

  var policy: String {
    get async throws { try await decloak.policy }
  }

  /// Calls a method that answers with a list of entries.
  /// - Throws: ``DBusError``.
  func list(_ member: String) async throws -> [Entry] {
    try await call(DecloakProxy.interface, member).first?.as([Entry].self) ?? []
  }

  /// Whether somebody may know that this person is online.
  /// - Throws: ``DBusError``.
  func canBeSeen(by jid: String) async throws -> (sees: Bool, why: String) {
    let answer = try await call(VisibilityProxy.interface, "CanSee", .string(jid))
    guard case .boolean(let sees)? = answer.first, case .string(let why)? = answer.last else {
      throw DemoFailure("CanSee was not answered with (bs)")
    }
    narrator.answer(sees ? "true, because of \"\(why)\"" : "false")
    return (sees, why)
  }

  /// Returns once the server has dealt with all that was sent before, and what it sent before has been read. Ending a
  /// subscription that there is not is the call that changes nothing and goes to the server and back.
  /// - Throws: ``DBusError``.
  func roundTrip() async throws {
    try await call(
      ConnectionProxy.interface, "Unsubscribe", .string("localhost"), (["reveal": true] as Entry).value, aside: true)
  }

  private var decloak: DecloakProxy { DecloakProxy(bus, Stage.serviceName, path) }
}
