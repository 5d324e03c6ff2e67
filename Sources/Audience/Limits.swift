// SPDX-License-Identifier: Apache-2.0

/// What an outsider, or a client on the bus, can make grow at most. Each has a test.
public enum Limits {
  /// Requests that wait for an answer, in one account.
  public static let pendingPerAccount = 16
  /// Of these, how many are kept free for contacts of the roster.
  public static let keptForRoster = 4
  /// Requests that wait for an answer, from one domain.
  public static let pendingPerDomain = 8
  /// Resources of one contact that one request answers.
  public static let requestersPerRequest = 16
  /// Resources of one contact that share the places of others: sessions that a policy began, copies of our presence
  /// sent again, peers that answered.
  public static let resourcesPerContact = 16
  /// Sessions of one account in which somebody sees us.
  public static let sessions = 256
  /// Resources that we see in sessions.
  public static let peers = 512
  /// Requests of our own that wait for an answer.
  public static let outstandingAsks = 64
  /// Contacts that are not heard for a while after a no.
  public static let silenced = 4096
  /// Answers that are remembered, so that a second client's answer can be told apart from a wrong id.
  public static let rememberedAnswers = 256
  /// Rules of one account.
  public static let rules = 10_000
  /// Decisions of one account that are kept.
  public static let decisions = 1_000
  /// How often the same contact is announced within the life of a request, having left in between.
  public static let announcementsPerContact = 3
  /// How often an automatic yes answers the same contact within the life of a request.
  public static let answersPerContact = 256
  /// Subscription requests that wait for an answer.
  public static let subscriptionRequests = 16
  /// Of these, how many from one domain.
  public static let subscriptionRequestsPerDomain = 8

  /// Seconds that a request waits for an answer.
  public static let requestLifetime: UInt32 = 120
  /// Seconds that our own request waits for an answer before our presence is withdrawn again.
  public static let askLifetime: UInt32 = 120
  /// Seconds that a session lasts unless the call says otherwise.
  public static let sessionLifetime: UInt32 = 3600
  /// Seconds after a no in which repeats are counted in silence.
  public static let silence: UInt32 = 3600
  /// Seconds between two copies of our presence to somebody who is entitled to it and asks all the same.
  public static let resendInterval: UInt32 = 10
  /// Seconds between two signals about the same request.
  public static let changeInterval: UInt32 = 1
}
