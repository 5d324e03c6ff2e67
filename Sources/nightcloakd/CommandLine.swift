// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc
internal import Logging
internal import Network

/// What the program was told on its command line. getopt_long, because swift-argument-parser brings Foundation and
/// with it three times the memory.
struct CommandLineOptions {
  enum Bus: Equatable {
    case system
    case session
    case address(String)
  }

  enum Outcome {
    case run(CommandLineOptions)
    /// Print this and succeed.
    case print(String)
    /// Print this to the standard error output and fail.
    case refuse(String)
  }

  var bus = Bus.system
  var logLevel = Logger.Level.notice
  /// Where to keep the state, where that is said.
  var stateDirectory: String?
  var lookups = LookupSettings()

  static let usage = """
    usage: nightcloakd [--system | --session | --address ADDRESS] [--state-directory DIR]
                       [--dns-server ADDRESS[:PORT]]... [--log-level LEVEL]

    Lets a person decide who may know that they are online, on XMPP, over D-Bus.

      --system           serve on the system bus (the default)
      --session          serve on the session bus
      --address ADDRESS  serve on the bus at this D-Bus address
      --state-directory DIR
                         keep what is to be remembered in this directory
      --dns-server ADDRESS[:PORT]
                         ask this DNS server for the servers of accounts, instead of the system's; may be repeated
      --log-level LEVEL  error, warning, notice (the default), info or debug; JIDs appear at debug only
      --version          print the version
      --help             print this

    The interface is described in org.nightcloak.Presence1.*.xml and in nightcloakd(8).
    """

  private enum Long: Int32 {
    case system = 1000
    case session, address, stateDirectory, dnsServer, logLevel, version, help
  }

  static func parse(_ arguments: [String], version: String) -> Outcome {
    var options = CommandLineOptions()
    var chosen: [String] = []
    var pointers = arguments.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    let names: [(StaticString, Int32, Long)] = [
      ("system", no_argument, .system), ("session", no_argument, .session), ("address", required_argument, .address),
      ("state-directory", required_argument, .stateDirectory), ("dns-server", required_argument, .dnsServer),
      ("log-level", required_argument, .logLevel),
      ("version", no_argument, .version), ("help", no_argument, .help),
    ]
    var table = names.map { name, argument, value in
      name.withUTF8Buffer { bytes in
        // A static string lives as long as the program and ends with a NUL.
        option(
          name: UnsafeRawPointer(bytes.baseAddress)?.assumingMemoryBound(to: CChar.self), has_arg: argument, flag: nil,
          val: value.rawValue)
      }
    }
    table.append(option())
    linux_getopt_silence()
    while true {
      let before = linux_getopt_index()
      let found = getopt_long(Int32(arguments.count), &pointers, "h", table, nil)
      if found == -1 { break }
      let value = linux_getopt_value().map { String(cString: $0) } ?? ""
      switch Long(rawValue: found) {
      case .system: (options.bus, chosen) = (.system, chosen + ["--system"])
      case .session: (options.bus, chosen) = (.session, chosen + ["--session"])
      case .address: (options.bus, chosen) = (.address(value), chosen + ["--address"])
      case .stateDirectory: options.stateDirectory = value
      case .dnsServer:
        guard let server = LookupSettings.server(value) else {
          return .refuse(
            "\"\(value)\" is no address of a DNS server: use one as 192.0.2.53, 192.0.2.53:5353 or [2001:db8::53]:5353."
          )
        }
        guard options.lookups.servers.count < LookupSettings.mostServers else {
          return .refuse("\(LookupSettings.mostServers) DNS servers are the most: leave out some of --dns-server.")
        }
        options.lookups.servers.append(server)
      case .logLevel:
        guard let level = Logger.Level(rawValue: value), level != .trace, level != .critical else {
          return .refuse("\"\(value)\" is no log level: use error, warning, notice, info or debug.")
        }
        options.logLevel = level
      case .version: return .print("nightcloakd \(version)")
      case .help: return .print(usage)
      case nil where found == Int32(UInt8(ascii: "h")): return .print(usage)
      case nil:
        let word = arguments.indices.contains(Int(before)) ? arguments[Int(before)] : ""
        return .refuse("\"\(word)\" is not understood, or its value is missing. nightcloakd --help lists the options.")
      }
    }
    if Int(linux_getopt_index()) < arguments.count {
      return .refuse(
        "\"\(arguments[Int(linux_getopt_index())])\" is one word too many. nightcloakd --help lists the options.")
    }
    if chosen.count > 1 {
      return .refuse("\(chosen.joined(separator: " and ")) cannot be given together: the daemon serves one bus.")
    }
    return .run(options)
  }
}
