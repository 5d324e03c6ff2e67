// SPDX-License-Identifier: Apache-2.0

package import XMPP

/// Why an account cannot do what it was asked to. The text alone says what was wrong and what to do.
public struct AccountError: Error, Hashable, Sendable {
  /// The kinds of failure that a caller can tell apart (their names on the bus are in dbus-interfaces).
  public enum Code: String, Hashable, Sendable, CaseIterable {
    case invalidArgument, invalidJID, limitExceeded, notSupported, alreadyExists
    case notConnected, noSuchRequest, alreadyResolved, notSupportedByServer, serverRefused, wouldReveal
    case authenticationFailed, certificateRejected, networkError, timedOut, cancelled, storageFailed
  }

  /// What kind of failure it is.
  public let code: Code
  /// A sentence for a person.
  public let text: String

  /// Describes a failure.
  public init(_ code: Code, _ text: String) {
    self.code = code
    self.text = text
  }

  package static let notConnected = AccountError(.notConnected, "The account is not connected: call Connect first.")

  package static func wouldReveal(_ who: String) -> AccountError {
    AccountError(
      .wouldReveal,
      "This would tell \(who) that you are online, and nobody said that they may know. "
        + "Pass the option reveal (true) to this call if you mean it.")
  }
}

extension AccountError {
  /// The end of a stream, as those who wanted to connect are told of it.
  package init(_ end: StreamEnd) {
    let code: Code =
      switch end.code {
      case .network, .closedByPeer, .protocol: .networkError
      case .timedOut: .timedOut
      case .authentication: .authenticationFailed
      case .certificate: .certificateRejected
      case .streamError, .refused: .serverRefused
      case .cancelled: .cancelled
      }
    self.init(code, end.text)
  }
}
