// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// An XMPP server for tests: for localhost, on free ports of the loopback interface.
public final class XMPPServer {
  /// The servers there are, by the name of their directory in Tests/Servers.
  public enum Family: String, CaseIterable, Sendable {
    case prosody, ejabberd, jabberd2, loopback

    /// Where chat rooms are; nil where there are none.
    public var rooms: String? { self == .jabberd2 || self == .loopback ? nil : "conference.localhost" }
  }

  /// Which server it is.
  public let family: Family
  /// Where clients connect in the clear or with STARTTLS.
  public private(set) var clientPort: UInt16 = 0
  /// Where clients connect with TLS from the first byte; 0 where they cannot.
  public private(set) var directTLSPort: UInt16 = 0
  /// Where components connect.
  public private(set) var componentPort: UInt16 = 0
  /// Its process; where it is several, that of the clients' connections.
  public private(set) var pid: Int32 = 0
  /// The file with the certificate that it shows.
  public let certificate: String

  /// The components' secret.
  public static let componentSecret = "gateway"
  /// The component's domain.
  public static let componentDomain = "sip.localhost"

  private let directory: TemporaryDirectory
  private let settings: [String: String]
  private var process: ChildProcess

  /// The one of its family that all scenarios share, each with accounts of its own. It ends with this process, however
  /// that ends: it sees so on its standard input.
  public static func shared(_ family: Family = .prosody) throws -> XMPPServer {
    ended
    // Tests of several kinds may ask at the same time.
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    if let server = sharedOnes[family] { return try server.get() }
    let server = Result { try XMPPServer(family) }
    sharedOnes[family] = server
    return try server.get()
  }

  private nonisolated(unsafe) static let lock: UnsafeMutablePointer<pthread_mutex_t> = {
    let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    pthread_mutex_init(lock, nil)
    return lock
  }()
  private nonisolated(unsafe) static var sharedOnes: [Family: Result<XMPPServer, any Error>] = [:]

  // Statics are never deinitialized, so its files would stay.
  private static let ended: Void = {
    _ = atexit {
      for server in XMPPServer.sharedOnes.values.compactMap({ try? $0.get() }) {
        try? server.stop()
        server.directory.remove()
      }
    }
  }()

  /// Starts one.
  /// - Parameter settings: what its script `run` takes from the environment.
  public init(_ family: Family = .prosody, settings: [String: String] = [:]) throws {
    self.family = family
    self.settings = settings
    directory = try TemporaryDirectory()
    certificate = directory.file("localhost.crt")
    process = try Self.launch(family, in: directory, settings)
    try awaitReady()
  }

  private static func launch(
    _ family: Family, in directory: TemporaryDirectory, _ settings: [String: String]
  ) throws -> ChildProcess {
    let script = String(#filePath.dropLast("Support/XMPPServer.swift".count)) + "Servers/\(family.rawValue)/run"
    return try ChildProcess([script, directory.path], environment: settings, errors: directory.file("errors"))
  }

  private func awaitReady() throws {
    guard let line = try process.line(within: .seconds(130)), line.hasPrefix("ready ") else {
      throw WitnessError("\(family) does not start: \(readFile(directory.file("errors")))")
    }
    func number<Number: FixedWidthInteger>(_ key: String) throws -> Number {
      let word = line.split(separator: " ").first { $0.hasPrefix(key + "=") }
      guard let number = word.flatMap({ Number($0.dropFirst(key.count + 1)) }) else {
        throw WitnessError("\(family) says \(line)")
      }
      return number
    }
    pid = try number("pid")
    clientPort = try number("c2s")
    directTLSPort = try number("tls")
    componentPort = try number("component")
  }

  /// Makes an account.
  public func addAccount(_ user: String, password: String) throws {
    switch family {
    case .prosody:
      // Where Prosody's own storage looks for it.
      try writeFile(
        directory.file("data/localhost/accounts/\(user).dat"), "return { [\"password\"] = \"\(password)\"; };\n")
    case .loopback: try appendFile(directory.file("users"), "\(user):\(password)\n")
    case .ejabberd, .jabberd2: try RawClient.register(port: clientPort, user: user, password: password)
    }
  }

  /// The file with the certificate of a further domain.
  public func certificate(of domain: String) -> String { directory.file("\(domain).crt") }

  /// Gives an account that is not online a roster. Prosody alone keeps rosters in files.
  /// - Parameter contacts: as Prosody writes them: `["romeo@localhost"] = { … }`.
  public func setRoster(of user: String, version: Int, _ contacts: [String]) throws {
    let header = "[false] = { [\"version\"] = \(version); [\"pending\"] = {}; }"
    makeDirectory(directory.file("data/localhost/roster"))
    try writeFile(
      directory.file("data/localhost/roster/\(user).dat"),
      "return {\n" + ([header] + contacts).joined(separator: ";\n") + "\n};\n")
  }

  /// Stops it and waits until it is gone.
  public func stop() throws {
    process.closeInput()
    _ = try process.wait(within: .seconds(10))
  }

  /// Starts it again after ``stop()``, on the ports and with the accounts that it had.
  public func startAgain() throws {
    let ports = ["PORTS": "\(clientPort) \(directTLSPort) \(componentPort)"]
    process = try Self.launch(family, in: directory, settings.merging(ports) { $1 })
    try awaitReady()
  }
}
