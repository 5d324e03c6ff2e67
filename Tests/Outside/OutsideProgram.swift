// SPDX-License-Identifier: Apache-2.0

import Support

/// A connection in the hands of the program, driven over D-Bus alone, whose program and way to the server may break.
class OutsideProgram {
  /// What it is: a bare JID, or a gateway's domain.
  let jid: String
  let owner: RawBus
  /// The program's way to the server.
  let proxy: FaultProxy

  private let bus: PrivateBus
  private let logLevel: String?
  private let state: TemporaryDirectory
  private var daemon: DaemonProcess
  private var path = ""

  /// - Parameter port: the server's.
  init(_ jid: String, port: UInt16, logLevel: String?) throws {
    self.jid = jid
    self.logLevel = logLevel
    bus = try PrivateBus()
    owner = try bus.connect()
    proxy = try FaultProxy(to: port)
    state = try TemporaryDirectory()
    daemon = try DaemonProcess(on: bus, logLevel: logLevel, stateDirectory: state.file("state"))
    try takeInterest()
  }

  var log: String { daemon.log }

  func end() {
    _ = try? daemon.terminate()
    proxy.stop()
  }

  /// The parameters with which the connection is added again after the program's death.
  var parameters: [(String, BusValue)] { [] }

  // MARK: The bus

  private func takeInterest() throws {
    try owner.call(
      DaemonProcess.busName, "/org/nightcloak/Presence1", "org.nightcloak.Presence1.Manager", "AddClientInterest",
      [.strings(["*"])])
  }

  /// Adds the connection; what is known of it is kept.
  func add(_ parameters: [(String, BusValue)]) throws {
    path =
      try owner.call(
        DaemonProcess.busName, "/org/nightcloak/Presence1", "org.nightcloak.Presence1.Manager", "AddConnection",
        [.string(jid), .array("{sv}", parameters.map { .entry(.string($0.0), .variant($0.1)) })]
      ).first?.text ?? ""
  }

  func begin(
    _ interface: OurAccount.Interface, _ member: String, _ arguments: [BusValue] = []
  ) throws -> RawBus.Pending {
    try owner.begin(DaemonProcess.busName, path, name(interface), member, arguments)
  }

  @discardableResult
  func call(_ interface: OurAccount.Interface, _ member: String, _ arguments: [BusValue] = []) throws -> [BusValue] {
    try owner.finish(begin(interface, member, arguments))
  }

  /// A list that a method returns.
  func list(_ interface: OurAccount.Interface, _ member: String, _ arguments: [BusValue] = []) throws -> [BusValue] {
    try call(interface, member, arguments).first?.list ?? []
  }

  func get(_ interface: OurAccount.Interface, _ property: String) throws -> BusValue {
    try owner.call(
      DaemonProcess.busName, path, "org.freedesktop.DBus.Properties", "Get",
      [.string(name(interface)), .string(property)]
    ).first ?? .string("")
  }

  func set(_ interface: OurAccount.Interface, _ property: String, _ value: BusValue) throws {
    _ = try owner.finish(beginSet(interface, property, value))
  }

  /// Sets a property without waiting.
  func beginSet(_ interface: OurAccount.Interface, _ property: String, _ value: BusValue) throws -> RawBus.Pending {
    try owner.begin(
      DaemonProcess.busName, path, "org.freedesktop.DBus.Properties", "Set",
      [.string(name(interface)), .string(property), .variant(value)])
  }

  /// All properties of an interface.
  func all(_ interface: OurAccount.Interface) throws -> BusValue {
    try owner.call(
      DaemonProcess.busName, path, "org.freedesktop.DBus.Properties", "GetAll", [.string(name(interface))]
    ).first ?? .options()
  }

  private func name(_ interface: OurAccount.Interface) -> String { "org.nightcloak.Presence1.\(interface.rawValue)" }

  /// The values of `Status` that were told since `mark` signals.
  func statuses(since mark: Int) -> [String] {
    owner.received.dropFirst(mark).compactMap {
      $0.member == "PropertiesChanged" && $0.path == path ? $0.arguments[1]["Status"]?.text : nil
    }
  }

  /// The program has done all that was asked of it before.
  func pingProgram() throws {
    try owner.call(DaemonProcess.busName, "/", "org.freedesktop.DBus.Peer", "Ping")
  }

  // MARK: The process

  /// Kills the program and starts it again on what it has written down.
  func killAndStart() throws {
    try kill()
    daemon = try DaemonProcess(on: bus, logLevel: logLevel, stateDirectory: state.file("state"))
    try takeInterest()
    try add(parameters)
  }

  /// Kills the program.
  func kill() throws { try daemon.process.end(with: 9, within: .seconds(5)) }
}

extension RawBus.Refusal {
  /// What is not built is refused.
  var isNotBuilt: Bool { name == "org.freedesktop.DBus.Error.NotSupported" }
  /// The error's own name, where it is one of ours.
  var ours: String { String(name.split(separator: ".").last ?? "") }
}
