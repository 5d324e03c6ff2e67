// SPDX-License-Identifier: Apache-2.0

public import Account
public import DBus
internal import XMPP

/// The one table from our failures to the names that dbus-interfaces gives them on the bus.
extension AccountError: DBusErrorConvertible {
  /// The error as it goes over the bus.
  public var dbusError: DBusError { DBusError(code.busName, text) }
}

extension AccountError.Code {
  var busName: DBusError.Name {
    switch self {
    case .invalidArgument: .invalidArgs
    case .limitExceeded: .limitsExceeded
    case .notSupported: .notSupported
    case .alreadyExists: .ours("AlreadyExists")
    case .invalidJID: .ours("InvalidJid")
    case .notConnected: .ours("NotConnected")
    case .noSuchRequest: .ours("NoSuchRequest")
    case .alreadyResolved: .ours("AlreadyResolved")
    case .notSupportedByServer: .ours("NotSupportedByServer")
    case .serverRefused: .ours("ServerRefused")
    case .wouldReveal: .ours("WouldReveal")
    case .authenticationFailed: .ours("AuthenticationFailed")
    case .certificateRejected: .ours("CertificateRejected")
    case .networkError: .ours("NetworkError")
    case .timedOut: .ours("TimedOut")
    case .cancelled: .ours("Cancelled")
    case .storageFailed: .ioError
    }
  }
}

extension DBusError.Name {
  static func ours(_ last: String) -> DBusError.Name { DBusError.Name("org.nightcloak.Presence1.Error.\(last)") }
}
