// SPDX-License-Identifier: Apache-2.0

internal import EventLoop
internal import Glibc
internal import Processes

/// What the benches work with: a directory, a bus, a server, and daemons, all of their own and all gone afterwards.
@LoopActor
final class Workshop {
  /// A directory for sockets and logs.
  let directory: String
  /// The bus's address.
  let address: String
  private let programs: String
  private var running: [ChildProcess] = []
  private var server: Server?

  init() throws {
    var template = Array("/tmp/nightcloak-bench-XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else {
      throw BenchFailure("no directory in /tmp: \(String(cString: strerror(errno)))")
    }
    directory = String(cString: made)
    address = "unix:path=\(directory)/bus"
    guard let program = realpath("/proc/self/exe", nil) else { throw BenchFailure("/proc is not there") }
    defer { free(program) }
    programs = String(cString: program).split(separator: "/").dropLast().map { "/\($0)" }.joined()
  }

  // MARK: Programs

  /// Starts a program that ``close()`` ends if nobody else did.
  func start(_ arguments: [String], log: String) throws -> ChildProcess {
    let process = try ChildProcess(arguments, log: "\(directory)/\(log).log")
    running.append(process)
    return process
  }

  /// The last lines of what a program wrote.
  private func log(_ name: String) -> String {
    text(of: "\(directory)/\(name).log").split(separator: "\n").suffix(3).joined(separator: " / ")
  }

  func end(_ process: ChildProcess) async {
    running.removeAll { $0 === process }
    await process.end()
  }

  var daemonCommand: [String] {
    [
      "\(programs)/nightcloakd", "--address", address, "--state-directory", "\(directory)/state", "--log-level",
      "error",
    ]
  }
  var plainServiceCommand: [String] { PlainService.command("\(programs)/nightcloak-bench", address) }

  /// Starts `command` and waits until it owns `name`.
  /// - Returns: the program, and how long that took, in seconds.
  func start(_ command: [String], owning name: String) async throws -> (process: ChildProcess, seconds: Double) {
    let bus = try await Caller.open(address)
    await bus.watchOwner(of: name)
    let start = monotonicSeconds()
    let process = try self.start(command, log: name)
    guard let end = await bus.waitForOwner() else {
      throw BenchFailure("\(command[0]) did not take its name on the bus. It says: \(log(name))")
    }
    return (process, end - start)
  }

  // MARK: Bus and server

  /// A configuration of our own: the machine's may have limits, and services to start.
  private var busConfiguration: String {
    """
    <busconfig><type>session</type><listen>\(address)</listen><auth>EXTERNAL</auth><policy context="default"><allow send_destination="*"/>
    <allow receive_sender="*"/><allow own="*"/><allow user="*"/></policy></busconfig>
    """
  }

  func openBus() async throws {
    let file = "\(directory)/bus.conf"
    guard let stream = fopen(file, "we") else { throw BenchFailure("\(file) cannot be written") }
    fputs(busConfiguration, stream)
    fclose(stream)
    let bus = try start(
      ["dbus-daemon", "--nofork", "--print-address", "--config-file=\(file)"], log: "bus")
    guard await bus.firstLine() != nil else { throw BenchFailure("dbus-daemon did not start: \(log("bus"))") }
  }

  /// A Prosody with ``Server/accounts``; started when it is first asked for.
  func openServer() async throws -> Server {
    if let server { return server }
    // Beside the package's sources, above .build/release.
    var root = programs[...]
    while access("\(root)/Tests/Servers/prosody/run", X_OK) != 0 {
      guard let slash = root.lastIndex(of: "/") else {
        throw BenchFailure("Tests/Servers/prosody/run is not above \(programs): run this where it was built")
      }
      root = root[..<slash]
    }
    setenv("FOREIGN", "yes", 1)
    setenv("ACCOUNTS", Server.accounts.map { "\($0):\(Server.password)" }.joined(separator: " "), 1)
    let process = try start(["\(root)/Tests/Servers/prosody/run", "\(directory)/server"], log: "server")
    guard let line = await process.firstLine(), let server = Server(line) else {
      throw BenchFailure("Prosody did not start; is it installed? Try: make setup. It says: \(log("server"))")
    }
    self.server = server
    return server
  }

  /// Ends what runs, the last first, and removes the directory.
  func close() async {
    while let process = running.popLast() { await process.end() }
    guard let rm = try? ChildProcess(["rm", "-rf", directory], log: "/dev/null") else { return }
    _ = await rm.exitStatus()
  }
}

/// A server that runs.
struct Server: Sendable {
  static let accounts = ["stranger", "echo"] + (0...20).map { "account\($0)" }
  static let password = "secret"

  let port: UInt16
  /// Where a component connects, which may speak for everybody.
  let componentPort: UInt16
  let caFile: String

  /// Reads the line that Tests/Servers/prosody/run prints.
  init?(_ line: String) {
    var values: [Substring: Substring] = [:]
    for word in line.split(separator: " ") {
      let parts = word.split(separator: "=", maxSplits: 1)
      if parts.count == 2 { values[parts[0]] = parts[1] }
    }
    guard let port = values["c2s"].flatMap({ UInt16($0) }), let caFile = values["ca"],
      let componentPort = values["component"].flatMap({ UInt16($0) })
    else { return nil }
    self.port = port
    self.componentPort = componentPort
    self.caFile = String(caFile)
  }
}
