// SPDX-License-Identifier: Apache-2.0

internal import Network
internal import TLS

// The end of what a stream stands on, as that of the stream.

extension StreamEnd {
  /// What it is for a stream that no server was found.
  init(_ error: ServerError) {
    let code: Code =
      switch error.code {
      case .network: .network
      case .timedOut: .timedOut
      case .notThisMachine: .protocol
      case .cancelled: .cancelled
      }
    self.init(code, error.description, isFinal: error.code == .notThisMachine || error.code == .cancelled)
  }

  /// What the end of a transport is for a stream.
  init(_ error: TransportError) {
    let code: Code =
      switch error.code {
      case .timedOut: .timedOut
      case .certificate, .trust: .certificate
      case .network, .handshake, .slowReader: .network
      case .cancelled: .cancelled
      }
    self.init(code, Self.sentence(error.description))
  }

  /// What stands in the midst of other errors, fit to stand alone.
  private static func sentence(_ text: String) -> String {
    let first = text.prefix(1).uppercased()
    return first + text.dropFirst() + (text.hasSuffix(".") ? "" : ".")
  }

  /// We closed the stream.
  static var closed: StreamEnd { StreamEnd(.cancelled, "The connection was closed.") }
}
