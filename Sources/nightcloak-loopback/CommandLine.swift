// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc

/// What the program was told on its command line. getopt_long, as for nightcloakd.
struct CommandLineOptions: Equatable {
  enum Outcome: Equatable {
    case run(CommandLineOptions)
    /// Print this and succeed.
    case print(String)
    /// Print this to the standard error output and fail.
    case refuse(String)
  }

  /// The longest time for which a session waits for its client.
  static let longestResumption: UInt32 = 86_400
  static let defaultPort: UInt16 = 5222

  var domain = "localhost"
  /// Where it listens.
  var address = "127.0.0.1"
  var port = defaultPort
  /// Who may log in, one `user:password` a line; `-` for the standard input.
  var users: String?
  /// Which components may connect, one `domain:secret` a line.
  var components: String?
  var mechanisms = ServerMechanism.all
  /// Whether STARTTLS is offered.
  var offersTLS = true
  /// Whether clients may log in without TLS where it is offered, and by PLAIN without it.
  var allowsPlain = false
  /// Whether a log-in can be tied to the TLS connection.
  var offersPlus = true
  /// Where the certificate is written.
  var certificate: String?
  /// For how long a session waits for its client; 0 where stanzas are not counted at all.
  var resumeSeconds: UInt32 = 300
  /// Where it is written down what each client received.
  var record: String?

  static let usage = """
    usage: nightcloak-loopback --users FILE [--port PORT] [--domain DOMAIN]
                               [--mechanisms LIST] [--certificate FILE] [--no-tls | --plain] [--no-plus]
                               [--components FILE] [--resume-seconds SECONDS] [--record FILE]
                               [--listen ADDRESS]

    A small XMPP server for trying things out: in memory, on loopback, gone when it ends. Not for production.

      --users FILE       who may log in: one account a line, as juliet:secret; - for the standard input.
                         A file is read again when somebody comes who is not in it yet
      --port PORT        for clients and components (default 5222); 0 for any that is free
      --domain DOMAIN    the domain that it serves (default localhost)
      --mechanisms LIST  what clients find to hide with, separated by commas: invisible-presence (XEP-0018),
                         invisible-command (XEP-0186), privacy-list (XEP-0016), blocking (XEP-0191), all (the
                         default) or none
      --certificate FILE
                         write its certificate there, which it makes itself, for clients to trust
      --no-tls           offer no STARTTLS
      --plain            let clients in without TLS, and with PLAIN too
      --no-plus          offer no SCRAM that is tied to TLS, for clients that know none of TLS 1.3 and give up, as
                         slixmpp 1.8
      --components FILE  which components may connect (XEP-0114): one a line, as sip.localhost:secret
      --resume-seconds SECONDS
                         how long a lost client may come back to its session (XEP-0198; default 300, 0: not at all)
      --record FILE      write down what each client receives, one stanza a line, after its address and a tab
      --listen ADDRESS   a numeric address other than 127.0.0.1: strangers can reach it then
      --version          print the version
      --help             print this

    When it accepts clients it prints one line, as: ready pid=4711 c2s=5222
    """

  private enum Long: Int32 {
    case users = 1000
    case port, domain, mechanisms, certificate, noTLS, plain, noPlus, components, resumeSeconds, record, listen
    case version, help
  }

  private static let names: [(StaticString, Int32, Long)] = [
    ("users", required_argument, .users), ("port", required_argument, .port), ("domain", required_argument, .domain),
    ("mechanisms", required_argument, .mechanisms), ("certificate", required_argument, .certificate),
    ("no-tls", no_argument, .noTLS), ("plain", no_argument, .plain), ("no-plus", no_argument, .noPlus),
    ("components", required_argument, .components), ("resume-seconds", required_argument, .resumeSeconds),
    ("record", required_argument, .record), ("listen", required_argument, .listen),
    ("version", no_argument, .version), ("help", no_argument, .help),
  ]

  /// Whether nobody can reach it from elsewhere.
  var isOnLoopback: Bool { address.hasPrefix("127.") || address == "::1" }

  static func parse(_ arguments: [String], version: String) -> Outcome {
    var options = CommandLineOptions()
    var pointers = arguments.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
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
    linux_getopt_restart()
    while true {
      let before = max(1, Int(linux_getopt_index()))
      let found = getopt_long(Int32(arguments.count), &pointers, "h", table, nil)
      if found == -1 { break }
      let value = linux_getopt_value().map { String(cString: $0) } ?? ""
      switch Long(rawValue: found) {
      case .version: return .print("nightcloak-loopback \(version)")
      case .help: return .print(usage)
      case nil where found == Int32(UInt8(ascii: "h")): return .print(usage)
      case nil:
        let word = arguments.indices.contains(before) ? arguments[before] : ""
        return .refuse("\"\(word)\" is not understood, or its value is missing. \(Self.help)")
      case .some(let name):
        if let complaint = options.take(name, value) { return .refuse(complaint) }
      }
    }
    // It has put the words that belong to no option last.
    if let word = pointers[Int(linux_getopt_index())].map({ String(cString: $0) }) {
      return .refuse("\"\(word)\" is one word too many. \(Self.help)")
    }
    return options.complaint.map(Outcome.refuse) ?? .run(options)
  }

  private static let help = "nightcloak-loopback --help lists the options."

  /// Takes one option; says what is wrong with it.
  private mutating func take(_ name: Long, _ value: String) -> String? {
    switch name {
    case .users: users = value
    case .components: components = value
    case .certificate: certificate = value
    case .record: record = value
    case .listen: address = value
    case .plain: allowsPlain = true
    case .noTLS: offersTLS = false
    case .noPlus: offersPlus = false
    case .version, .help: break
    case .domain:
      // It goes into a certificate and into every address.
      let isName = value.utf8.allSatisfy { "abcdefghijklmnopqrstuvwxyz0123456789.-".utf8.contains($0) }
      guard isName, (1...253).contains(value.utf8.count) else {
        return "\"\(value)\" is no domain: use small letters, digits, dots and hyphens."
      }
      domain = value
    case .port:
      guard let number = UInt16(value) else { return "\"\(value)\" is no port: use a number from 0 to 65535." }
      port = number
    case .mechanisms:
      guard let chosen = ServerMechanism.read(value) else {
        let known = ServerMechanism.allCases.map(\.rawValue).joined(separator: ", ")
        return "\"\(value)\" is no list of mechanisms: use all, none, or some of \(known), separated by commas."
      }
      mechanisms = chosen
    case .resumeSeconds:
      guard let number = UInt32(value), number <= Self.longestResumption else {
        return "\"\(value)\" is no number of seconds from 0 to \(Self.longestResumption)."
      }
      resumeSeconds = number
    }
    return nil
  }

  /// What does not go together.
  private var complaint: String? {
    if users == nil { return "Nobody could log in: name them with --users FILE." }
    if users == "-", components == "-" { return "--users and --components cannot both be the standard input." }
    if !offersTLS, certificate != nil { return "With --no-tls there is no certificate to write." }
    return nil
  }
}
