// SPDX-License-Identifier: Apache-2.0

internal import TLS

/// What was tried in vain on the way to a server, for the person who must mend it.
struct ConnectionFailures {
  /// More are counted and not named: a person does not read on.
  static let mostNamed = 12

  private var texts: [String] = []
  private var unnamed = 0
  /// Whether any address was tried.
  private(set) var hasTriedAddresses = false
  /// Whether all that failed did so because nobody answered.
  private(set) var areAllTimeOuts = true
  /// Whether an address was left out because it is not this machine's.
  private(set) var hasSkippedOthers = false

  var count: Int { texts.count + unnamed }

  /// DNS did not tell about a name.
  mutating func add(_ name: String, _ error: LookupError) {
    add("\(name): \(error)", isTimeOut: error == .timedOut)
  }

  /// No connection to an address of `host`.
  mutating func add(_ host: String, _ error: TransportError) {
    hasTriedAddresses = true
    // The error names the address.
    let isNumeric = SocketAddress(host, port: 0) != nil
    add(isNumeric ? error.description : "\(host): \(error.description)", isTimeOut: error.code == .timedOut)
  }

  /// A connection was of no use.
  mutating func add(_ host: String, _ address: SocketAddress, _ reason: String) {
    hasTriedAddresses = true
    add(
      "\(Self.place(host, address)): \(reason.hasSuffix(".") ? String(reason.dropLast()) : reason)", isTimeOut: false)
  }

  mutating func skipped() { hasSkippedOthers = true }

  private mutating func add(_ text: String, isTimeOut: Bool) {
    areAllTimeOuts = areAllTimeOuts && isTimeOut
    guard texts.count < Self.mostNamed else {
      unnamed += 1
      return
    }
    texts.append(text)
  }

  /// All of them, and what has not answered yet.
  func list(pending: [String] = []) -> String {
    let all = texts + pending.prefix(Self.mostNamed)
    return all.joined(separator: "; ") + (unnamed > 0 ? "; and \(unnamed) more" : "")
  }

  /// A host's name and address, once where they are the same.
  static func place(_ host: String, _ address: SocketAddress) -> String {
    SocketAddress(host, port: 0) != nil ? address.description : "\(host) (\(address))"
  }

  /// The error when nothing is left to be tried.
  /// - Parameter name: what was asked for: a domain, or the parameter server.
  func error(_ name: String) -> ServerError {
    if count == 0, hasSkippedOthers {
      return ServerError(
        .notThisMachine,
        "tls off is for a server on this machine, and \(name) is another: set tls to starttls or direct.")
    }
    let advice =
      hasTriedAddresses
      ? "check the network, and the parameters server and port"
      : "check the network and the account's domain, or set the parameter server"
    return ServerError(
      areAllTimeOuts ? .timedOut : .network, "No connection to the server of \(name) (\(list())): \(advice).")
  }
}
