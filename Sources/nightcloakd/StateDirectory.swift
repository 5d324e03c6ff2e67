// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Where the program keeps what it remembers.
enum StateDirectory {
  /// What the command line and the environment say.
  enum Choice: Equatable {
    case directory(String)
    /// Nowhere: a bus of one's own is for trying things out, and must not touch what belongs to the other buses.
    case memory
    /// It cannot be said, for this reason.
    case unknown(String)
  }

  /// - Parameter environment: the value of a variable, nil where it is not set.
  static func choose(
    _ options: CommandLineOptions, environment: (String) -> String? = StateDirectory.environment
  ) -> Choice {
    func variable(_ name: String) -> String? { environment(name).flatMap { $0.isEmpty ? nil : $0 } }
    if let given = options.stateDirectory { return .directory(given) }
    // Of several that systemd made for its unit the first is ours.
    if let made = variable("STATE_DIRECTORY")?.split(separator: ":").first { return .directory(String(made)) }
    if case .system = options.bus { return .directory("/var/lib/nightcloak") }
    // The XDG base directory specification has relative paths ignored.
    if let states = variable("XDG_STATE_HOME"), states.hasPrefix("/") { return .directory("\(states)/nightcloak") }
    if case .address = options.bus { return .memory }
    guard let home = variable("HOME") ?? homeOfUser else {
      return .unknown("Where to keep the state is not known: set HOME, or say it with --state-directory.")
    }
    return .directory("\(home)/.local/state/nightcloak")
  }

  static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

  private static var homeOfUser: String? {
    guard let entry = getpwuid(geteuid()), let home = entry.pointee.pw_dir, home.pointee != 0 else { return nil }
    return String(cString: home)
  }
}
