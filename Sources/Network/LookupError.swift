// SPDX-License-Identifier: Apache-2.0

internal import CAres

/// Why DNS did not tell what it was asked.
enum LookupError: Error, Hashable, Sendable, CustomStringConvertible {
  /// There is no such name.
  case noSuchName
  /// The name has no records of the kind.
  case noRecords
  /// The server could not find out, or would not.
  case serverFailed
  /// No server answered in time.
  case timedOut
  /// No server can be reached; or, in older releases of c-ares, none could find out.
  case unreachable
  /// The answer makes no sense.
  case malformed
  /// Somebody stopped it.
  case cancelled
  /// Something else, as c-ares calls it.
  case other(String)

  /// What c-ares tells.
  init(status: Int32) {
    self =
      switch status {
      case cares_not_found: .noSuchName
      case cares_no_data: .noRecords
      case cares_server_failed, cares_not_implemented, cares_refused, cares_format_error: .serverFailed
      case cares_timed_out: .timedOut
      case cares_no_connection: .unreachable
      case cares_bad_response, cares_bad_name: .malformed
      case cares_destroyed: .cancelled
      default: .other(String(cString: ares_strerror(status)))
      }
  }

  /// For people, to be put behind the name that was asked about.
  var description: String {
    switch self {
    case .noSuchName: "there is no such name in DNS"
    case .noRecords: "it has no address in DNS"
    case .serverFailed: "no DNS server could find it out"
    case .timedOut: "no DNS server answered in time"
    case .unreachable: "no DNS server can be reached, or none could find it out"
    case .malformed: "the DNS server's answer makes no sense"
    case .cancelled: "the search was stopped"
    case .other(let text): "the DNS lookup failed: \(text)"
    }
  }
}
