// SPDX-License-Identifier: Apache-2.0

internal import DBus
internal import DBusInterfaces
internal import EventLoop
internal import Processes

/// A daemon of ours that runs, with accounts on the workshop's server.
@LoopActor
final class Daemon {
  nonisolated static let busName = "org.nightcloak.Presence1"

  let process: ChildProcess
  private let bus: BusConnection
  private let server: Server
  private var signals: SignalMatch?

  var figures: ProcessFigures { ProcessFigures(pid: process.pid) }

  init(in workshop: Workshop) async throws {
    server = try await workshop.openServer()
    process = try await workshop.start(workshop.daemonCommand, owning: Self.busName).process
    bus = try await BusConnection.open(.address(workshop.address))
  }

  private var manager: ManagerProxy { ManagerProxy(bus, Self.busName, "/org/nightcloak/Presence1") }

  /// Adds one of the server's accounts and connects it over TLS.
  func connect(_ account: String) async throws -> ObjectPath {
    let path = try await add(account)
    try await connect(path)
    return path
  }

  /// Adds one of the server's accounts.
  func add(_ account: String, _ parameters: [String: Value] = [:]) async throws -> ObjectPath {
    let usual: [String: Value] = [
      "password": .string(Server.password), "server": .string("127.0.0.1"), "port": .uint16(server.port),
      "ca-file": .string(server.caFile),
    ]
    return try await manager.addConnection(
      account: "\(account)@localhost", parameters: usual.merging(parameters) { _, new in new })
  }

  /// Adds a gateway, whose server is on this machine.
  func addGateway(_ domain: String, port: UInt16) async throws -> ObjectPath {
    try await manager.addConnection(
      account: domain,
      parameters: [
        "protocol": "xmpp-component", "password": .string(Server.password), "server": "127.0.0.1",
        "port": .uint16(port),
      ])
  }

  func connect(_ path: ObjectPath) async throws { try await ConnectionProxy(bus, Self.busName, path).connect() }

  func disconnect(_ path: ObjectPath) async throws { try await ConnectionProxy(bus, Self.busName, path).disconnect() }

  func remove(_ path: ObjectPath, forgetting: Bool) async throws {
    try await manager.removeConnection(connection: path, options: ["forget": .boolean(forgetting)])
  }

  func jid(of path: ObjectPath) async throws -> String { try await ConnectionProxy(bus, Self.busName, path).jid }

  func setPolicy(_ policy: String, of path: ObjectPath) async throws {
    try await DecloakProxy(bus, Self.busName, path).setPolicy(policy)
  }

  func pendingRequests(of path: ObjectPath) async throws -> UInt32 {
    try await DecloakProxy(bus, Self.busName, path).pendingRequests
  }

  /// Tells of every signal from now on.
  func onSignal(_ handler: @escaping @LoopActor (String) -> Void) async throws {
    signals = try await bus.match(SignalFilter(sender: Self.busName)) { handler($0.member) }
    try await manager.addClientInterest(tokens: ["*"])
  }

  /// Shows an account to these contacts alone.
  func showOnly(_ contacts: [String], _ path: ObjectPath) async throws {
    try await VisibilityProxy(bus, Self.busName, path).setVisibility(mode: "only", contacts: contacts, options: [:])
  }

  func showTo(_ contact: String, _ path: ObjectPath) async throws {
    try await VisibilityProxy(bus, Self.busName, path).showTo(contacts: [contact])
  }

  func hideFrom(_ contact: String, _ path: ObjectPath) async throws {
    try await VisibilityProxy(bus, Self.busName, path).hideFrom(contacts: [contact])
  }

  /// Ends it.
  func end(in workshop: Workshop) async {
    bus.close()
    await workshop.end(process)
  }
}
