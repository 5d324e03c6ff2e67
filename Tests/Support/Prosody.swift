// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// The XMPP server of the tests: a Prosody for localhost, on free ports of the loopback interface.
public final class Prosody {
  /// Where clients connect in the clear or with STARTTLS.
  public let clientPort: UInt16
  /// Where components connect.
  public let componentPort: UInt16
  /// The file with the certificate that it shows.
  public let certificate: String

  /// The components' secret.
  public static let componentSecret = "gateway"
  /// The component's domain.
  public static let componentDomain = "sip.localhost"

  private let directory: TemporaryDirectory
  private let process: ChildProcess

  /// The one that all scenarios share, each with accounts of its own. It ends with this process, however that
  /// ends: it sees so on its standard input.
  public static func shared() throws -> Prosody {
    ended
    return try sharedOne.get()
  }

  private nonisolated(unsafe) static let sharedOne = Result { try Prosody() }

  // Statics are never deinitialized, so its files would stay.
  private static let ended: Void = { _ = atexit { try? Prosody.sharedOne.get().endAtExit() } }()

  private func endAtExit() throws {
    try stop()
    directory.remove()
  }

  /// Starts one.
  public init() throws {
    directory = try TemporaryDirectory()
    let script = String(#filePath.dropLast("Support/Prosody.swift".count)) + "Servers/prosody/run"
    process = try ChildProcess([script, directory.path], errors: directory.file("errors"))
    guard let line = try process.line(within: .seconds(30)), line.hasPrefix("ready ") else {
      throw WitnessError("Prosody does not start: \(readFile(directory.file("errors")))")
    }
    func value(_ key: String) -> String {
      line.split(separator: " ").first { $0.hasPrefix(key + "=") }.map { String($0.dropFirst(key.count + 1)) } ?? ""
    }
    guard let client = UInt16(value("c2s")), let component = UInt16(value("component")) else {
      throw WitnessError("Prosody says \(line)")
    }
    clientPort = client
    componentPort = component
    certificate = value("ca")
  }

  /// Makes an account, where Prosody's own storage looks for it.
  public func addAccount(_ user: String, password: String) throws {
    try writeFile(
      directory.file("data/localhost/accounts/\(user).dat"), "return { [\"password\"] = \"\(password)\"; };\n")
  }

  /// Stops it and waits until it is gone.
  public func stop() throws {
    process.closeInput()
    _ = try process.wait(within: .seconds(10))
  }
}
