// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Which server the story happens on: our own, for which nothing has to be installed, or one that people run.
enum ServerChoice: String, CaseIterable {
  case loopback, prosody, ejabberd, jabberd2

  /// What SERVER in the environment says; our own where it says nothing.
  /// - Throws: ``DemoFailure`` when it is none of them.
  static func chosen() throws -> ServerChoice {
    let word = getenv("SERVER").map { String(cString: $0) } ?? ""
    guard !word.isEmpty else { return .loopback }
    guard let choice = ServerChoice(rawValue: word) else {
      throw DemoFailure("SERVER=\(word) is unknown: it is one of \(allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return choice
  }

  /// As people call it.
  var name: String {
    switch self {
    case .loopback: "nightcloak-loopback"
    case .prosody: "Prosody"
    case .ejabberd, .jabberd2: rawValue
    }
  }

  /// As part of the stage.
  var title: String { self == .loopback ? "an XMPP server of our own" : "\(name) on loopback" }

  /// What its script takes from the environment: Prosody has its privacy lists apart, and jabberd2 has SCRAM on request.
  var settings: [String: String] {
    switch self {
    case .prosody: ["MODULES": "privacy_lists"]
    case .jabberd2: ["SCRAM": "1"]
    case .loopback, .ejabberd: [:]
    }
  }

  /// Whether it answers what is asked about the features of a session by itself, so that nobody learns them.
  var hidesFeatures: Bool { self == .jabberd2 }

  /// The program that starts it, from the top of the source tree; nil for our own, which is beside the demo.
  var script: String? { self == .loopback ? nil : "Tests/Servers/\(rawValue)/run" }

  /// How long it may take to start: ejabberd's machine takes its time where there is little.
  var startLimit: Duration { self == .ejabberd ? .seconds(60) : .seconds(10) }

  /// The file of its log in the demo's directory.
  var log: String {
    switch self {
    case .loopback: "server.log"
    case .jabberd2: "server/sm.log"
    case .prosody, .ejabberd: "server/\(rawValue).log"
    }
  }
}
