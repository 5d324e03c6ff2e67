// SPDX-License-Identifier: Apache-2.0

import Support

/// Where a server tells of us by itself, whatever a client does. What is not in this table is a fault of the program.
struct ServerLeak {
  /// What it tells.
  enum What: String {
    /// That our full JID went, to contacts that never saw it, when a connection is lost.
    case lostConnection = "an unavailable when the connection is lost"
    /// To whoever wrote to a session that broke, that what it had not acknowledged cannot be delivered.
    case bounce = "the bounce of what a lost session had"
    /// To a contact that gives its subscription up, that each of our full JIDs went, seen or not.
    case endOfSubscription = "an unavailable at the end of a subscription"
    /// To a contact that was sent directed presence before it was one, that our full JID went: a direct goodbye to a contact
    /// does not make it forget.
    case formerStranger = "an unavailable to a contact that saw us before it was one"
    /// To a contact, our resource.
    case resources = "the list of resources"
  }

  let server: OutsideServer
  let mechanism: String
  let what: What
  /// How `Degraded` tells the person of it.
  let word: String

  /// Measured on the servers themselves.
  static let all: [ServerLeak] = [
    ServerLeak(
      server: .jabberd2, mechanism: "directed", what: .lostConnection, word: "unclean-close-shows-unavailable"),
    ServerLeak(
      server: .prosodyWithLists, mechanism: "privacy-list", what: .lostConnection,
      word: "unclean-close-shows-unavailable"),
    ServerLeak(
      server: .prosodyWithLists, mechanism: "privacy-list", what: .formerStranger,
      word: "unclean-close-shows-unavailable"),
    ServerLeak(
      server: .ejabberd, mechanism: "directed", what: .endOfSubscription, word: "server-lists-resource"),
    ServerLeak(
      server: .ejabberd, mechanism: "privacy-list", what: .endOfSubscription, word: "server-lists-resource"),
    ServerLeak(server: .ejabberd, mechanism: "directed", what: .resources, word: "server-lists-resource"),
    ServerLeak(server: .ejabberd, mechanism: "privacy-list", what: .resources, word: "server-lists-resource"),
    ServerLeak(server: .prosody, mechanism: "directed", what: .bounce, word: "unclean-close-shows-unavailable"),
    ServerLeak(
      server: .prosodyWithLists, mechanism: "directed", what: .bounce, word: "unclean-close-shows-unavailable"),
    ServerLeak(
      server: .prosodyWithLists, mechanism: "privacy-list", what: .bounce, word: "unclean-close-shows-unavailable"),
  ]

  /// The entry for something that a server told while a mechanism was in force.
  static func find(_ server: OutsideServer, _ mechanism: String, _ what: What) -> ServerLeak? {
    all.first { $0.server == server && $0.mechanism == mechanism && $0.what == what }
  }
}
