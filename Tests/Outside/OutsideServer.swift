// SPDX-License-Identifier: Apache-2.0

import Support

/// A server as it is set up for this.
public enum OutsideServer: String, CaseIterable, Sendable {
  case loopback, prosody, ejabberd, jabberd2
  case prosodyWithLists = "prosody+lists"

  /// Whether it has privacy lists (XEP-0016), so that our user can have one of his own.
  var hasLists: Bool { self == .prosodyWithLists || self == .ejabberd || self == .jabberd2 }

  var isProsody: Bool { self == .prosody || self == .prosodyWithLists }

  /// Whether a session whose connection broke can be resumed (XEP-0198).
  var resumes: Bool { self != .jabberd2 }

  /// The mechanism that is taken where none is asked for.
  var usualMechanism: String {
    switch self {
    case .loopback: "invisible-presence"
    case .prosody: "directed"
    case .prosodyWithLists, .ejabberd, .jabberd2: "privacy-list"
    }
  }

  /// - Parameter components: domains of further components.
  func start(components: [String] = []) throws -> XMPPServer {
    guard let family = XMPPServer.Family(rawValue: self == .prosodyWithLists ? "prosody" : rawValue) else {
      throw WitnessError("there is no server \(rawValue) yet")
    }
    // A session whose program was killed is seen until the server gives it up.
    let modules = self == .prosodyWithLists ? ["MODULES": "privacy_lists"] : [:]
    let settings = ["RESUME": "3", "COMPONENTS": components.joined(separator: " ")]
    return try XMPPServer(family, settings: modules.merging(settings) { $1 })
  }
}
