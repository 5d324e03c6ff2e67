// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A dbus-daemon of a test's own.
///
/// Its policy is that of a system bus: every user of the machine may connect, and receives what is broadcast, but nobody
/// overhears what is sent to somebody else. Everybody may own names, so that tests need not be root.
public final class PrivateBus {
  /// Where it listens.
  public let address: String

  private let directory: TemporaryDirectory
  private let process: ChildProcess

  /// Starts one.
  public init() throws {
    directory = try TemporaryDirectory()
    let configuration = directory.file("bus.conf")
    try writeFile(
      configuration,
      """
      <!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
        "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
      <busconfig>
        <type>system</type>
        <listen>unix:path=\(directory.file("bus"))</listen>
        <auth>EXTERNAL</auth>
        \(getuid() == 0 ? "" : "<auth>ANONYMOUS</auth><allow_anonymous/>")
        <policy context="default">
          <allow user="*"/>
          <allow own="*"/>
          <allow send_destination="*"/>
          <allow receive_sender="*"/>
        </policy>
      </busconfig>
      """)
    process = try ChildProcess(
      ["dbus-daemon", "--nofork", "--nopidfile", "--print-address", "--config-file", configuration],
      errors: directory.file("errors"))
    guard let line = try process.line(within: .seconds(10)) else {
      throw WitnessError("dbus-daemon does not start: \(readFile(directory.file("errors")))")
    }
    address = String(line.prefix { $0 != "," })
  }

  /// Kills it: the bus is gone.
  public func kill() throws { try process.end(with: SIGKILL, within: .seconds(5)) }

  /// Connects to it as the present user.
  public func connect() throws -> RawBus { try RawBus(address: address) }

  /// Connects to it as somebody else: as the user "nobody", or where we are not root, as no user at all.
  public func connectAsStranger() throws -> RawBus { try RawBus(address: address, user: PrivateBus.strangersUser) }

  /// The user "nobody".
  public static let strangersUser: UInt32 = 65_534
}
