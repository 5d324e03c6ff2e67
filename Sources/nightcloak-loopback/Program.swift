// SPDX-License-Identifier: Apache-2.0

internal import EventLoop
internal import Glibc
internal import LoopbackServer
internal import XMPP

/// The life of the program: serve until told to end.
@LoopActor
final class Program {
  nonisolated static let version = "0.1.0"

  private let options: CommandLineOptions
  private let server: LoopbackServer
  private var accounts: AccountsFile
  private let record: RecordFile?

  /// Reads what the options name.
  /// - Throws: ``Complaint`` where it cannot be used.
  init(_ options: CommandLineOptions) throws(Complaint) {
    self.options = options
    accounts = try AccountsFile(options.users ?? "-", domain: options.domain)
    record = try options.record.map { path throws(Complaint) in try RecordFile(path) }
    var configuration = LoopbackConfiguration()
    configuration.domain = options.domain
    configuration.host = options.address
    configuration.isOpenToOthers = !options.isOnLoopback
    configuration.port = options.port
    configuration.users = accounts.users
    if let components = options.components {
      configuration.components = try SecretsFile(path: components).secrets.map {
        LoopbackComponent(domain: $0.key, secret: $0.value)
      }
    }
    configuration.features = LoopbackFeatures(options.mechanisms)
    if !options.offersPlus { configuration.mechanisms.removeAll(where: \.bindsChannel) }
    configuration.offersTLS = options.offersTLS
    configuration.requiresTLS = !options.allowsPlain
    configuration.allowsPlainInTheClear = options.allowsPlain
    configuration.resumptionTime = options.resumeSeconds > 0 ? .seconds(Int64(options.resumeSeconds)) : nil
    // What is written down here need not be remembered there.
    configuration.recordedStanzas = 0
    server = LoopbackServer(configuration)
  }

  /// Serves.
  func run() {
    Signals.handle([SIGTERM, SIGINT]) { [self] _ in
      server.stop()
      exit(0)
    }
    Self.allowManyConnections()
    server.onStrangeUser = { [self] localpart in accounts.newcomer(localpart) }
    if let record { server.recorder.onEntry = { record.write($0.stanza, to: $0.client) } }
    do {
      try server.start()
      if let path = options.certificate, let certificate = server.certificate {
        try replaceFile(path, certificate)
      }
    } catch {
      Self.tell("\(error)")
      exit(1)
    }
    Self.tell("for trying things out, not for production: all is in memory, and gone when it ends")
    if !options.isOnLoopback {
      Self.tell("WARNING: listening on \(options.address), where OTHERS CAN REACH IT; it was not made for that")
    }
    // At once: the standard library would keep it back where somebody waits for it at a pipe.
    Self.write("ready pid=\(getpid()) c2s=\(server.port)\n", to: STDOUT_FILENO)
  }

  /// A shell gives its programs 1024 descriptors, as those that use select(2) can have no more. We do not.
  private static func allowManyConnections() {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    limit.rlim_cur = limit.rlim_max
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }

  /// Says something to who started the program.
  nonisolated static func tell(_ text: String) { write("nightcloak-loopback: \(text)\n", to: STDERR_FILENO) }

  private nonisolated static func write(_ text: String, to file: Int32) {
    _ = text.withCString { Glibc.write(file, $0, strlen($0)) }
  }
}

/// Why the program cannot do what it is asked to.
struct Complaint: Error, Equatable, CustomStringConvertible {
  /// For people.
  let description: String
  init(_ text: String) { description = text }
}

extension LoopbackFeatures {
  /// What a server with these mechanisms has.
  init(_ mechanisms: Set<ServerMechanism>) {
    self.init(
      invisiblePresence: mechanisms.contains(.invisiblePresence),
      invisibleCommand: mechanisms.contains(.invisibleCommand), privacyLists: mechanisms.contains(.privacyList),
      blocking: mechanisms.contains(.blocking))
  }
}
