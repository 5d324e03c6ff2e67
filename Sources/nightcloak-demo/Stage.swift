// SPDX-License-Identifier: Apache-2.0

internal import DBus
internal import EventLoop
internal import Glibc
internal import Processes

/// What the story happens on: a bus, a server with the accounts of all, a relay before the server for each of them, and the
/// daemon. All of it private to this run.
@LoopActor
final class Stage {
  nonisolated static let serviceName = "org.nightcloak.Presence1"
  static let password = "secret"
  /// The gateway's domain, and by what the servers know it.
  static let gateway = "sip.localhost"
  static let gatewaySecret = "gateway"
  private static let startLimit: Duration = .seconds(10)
  private static let people = ["juliet", "tybalt", "joe"] + Story.contacts

  /// Which server it is.
  let server: ServerChoice
  let wire = Wire()
  private(set) var directory: TemporaryDirectory?
  private(set) var busAddress = ""
  private(set) var taps: [String: WireTap] = [:]
  /// Where the server takes gateways.
  private(set) var componentPort: UInt16 = 0
  private(set) var daemon: ChildProcess?
  private var children: [ChildProcess] = []
  private var isCleared = false

  /// Nothing is started yet.
  init(on server: ServerChoice) { self.server = server }

  /// Starts everything.
  /// - Throws: ``DemoFailure`` naming what did not start.
  func set() async throws {
    guard let programs = Self.ownDirectory() else { throw DemoFailure("/proc/self/exe cannot be read") }
    try require("\(programs)/nightcloakd", "build it first: make build")
    if let script = server.script { try require(script, "start the demo from the top of the source tree, with make") }
    let directory = try TemporaryDirectory()
    self.directory = directory
    wire.log = try directory.append("wire.log")

    // Both start while the other does.
    let process = try startServer(in: directory, programs: programs)
    let bus = try start(
      ["dbus-daemon", "--session", "--nofork", "--print-address=1", "--address=unix:path=\(directory.path)/bus"],
      log: "bus.log")
    guard let address = await bus.firstLine(within: Self.startLimit) else { throw noStart("dbus-daemon", "bus.log") }
    busAddress = address
    try await startDaemon("\(programs)/nightcloakd")

    guard let ready = await process.firstLine(within: server.startLimit), let port = Self.port("c2s=", in: ready) else {
      throw noStart(server.name, "server.log")
    }
    // Our own takes both on one port.
    componentPort = Self.port("component=", in: ready) ?? port
    for who in Self.people { taps[who] = try WireTap(of: who, server: port, wire) }
  }

  private static func port(_ key: String, in line: String) -> UInt16? {
    line.split(separator: " ").first { $0.hasPrefix(key) }.flatMap { UInt16($0.dropFirst(key.count)) }
  }

  /// It prints a line with its ports when it is there.
  private func startServer(in directory: TemporaryDirectory, programs: String) throws -> ChildProcess {
    let accounts = Self.people.map { "\($0):\(Self.password)" }
    if let script = server.script {
      let environment = server.settings.merging(["ACCOUNTS": accounts.joined(separator: " ")]) { $1 }
      return try start([script, "\(directory.path)/server"], log: "server.log", environment: environment)
    }
    let users = try directory.write("users", accounts.joined(separator: "\n") + "\n")
    let program = "\(programs)/nightcloak-loopback"
    try require(program, "build it first: make build")
    let components = try directory.write("components", "\(Self.gateway):\(Self.gatewaySecret)\n")
    return try start(
      [program, "--users", users, "--components", components, "--port", "0", "--no-tls"], log: "server.log")
  }

  /// The daemon is there when it owns its name.
  private func startDaemon(_ program: String) async throws {
    let bus = try await BusConnection.open(.address(busAddress))
    defer { bus.close() }
    let owners = Record<String>()
    let filter = SignalFilter(
      sender: "org.freedesktop.DBus", interface: "org.freedesktop.DBus", member: "NameOwnerChanged",
      firstArgument: Self.serviceName)
    _ = try await bus.match(filter) { signal in
      if case .string(let owner)? = try? signal.values().last { owners.add(owner) }
    }
    daemon = try start(
      [
        program, "--address", busAddress, "--state-directory", "\(directory?.path ?? "")/state", "--log-level", "debug",
      ], log: "nightcloakd.log")
    guard await owners.first(within: Self.startLimit, where: { !$0.isEmpty }) != nil else {
      throw noStart("nightcloakd", "nightcloakd.log")
    }
  }

  private func start(
    _ arguments: [String], log: String, environment: [String: String] = [:]
  ) throws -> ChildProcess {
    // An interruption comes at any time, and what is started after it nobody would end.
    guard !isCleared else { throw DemoFailure("the demo was interrupted") }
    let child = try ChildProcess(
      arguments, log: "\(directory?.path ?? "")/\(log)", environment: environment)
    children.append(child)
    return child
  }

  private func require(_ path: String, _ advice: String) throws {
    guard access(path, X_OK) == 0 else { throw DemoFailure("\(path) is missing: \(advice)") }
  }

  private func noStart(_ program: String, _ log: String) -> DemoFailure {
    DemoFailure("\(program) did not start within \(Self.startLimit); \(log) says more")
  }

  /// The programs that have ended although nobody asked them to.
  func endedByThemselves() -> [String] { children.filter(\.hasEnded).map(\.name) }

  /// Ends every program, the last one first, and removes the files.
  func clear(keepingFiles: Bool) async {
    isCleared = true
    while let child = children.popLast() { await child.end() }
    if !keepingFiles { directory?.remove() }
  }

  /// Where this program is; the others are beside it.
  private static func ownDirectory() -> String? {
    guard let path = realpath("/proc/self/exe", nil) else { return nil }
    defer { free(path) }
    let text = String(cString: path)
    return text.lastIndex(of: "/").map { String(text[..<$0]) }
  }
}
