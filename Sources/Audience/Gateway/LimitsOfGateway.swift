// SPDX-License-Identifier: Apache-2.0

// What all addresses of a gateway may grow to together. Each has a test.
extension Limits {
  /// Sessions in which somebody sees one of our addresses. Above, the one that was silent longest gives way.
  public static let gatewaySessions = 20_000
  /// The part of the sessions that one domain of askers may have before the next of its own makes one of its own give
  /// way.
  public static let gatewaySessionsPerDomain = gatewaySessions / 4
  /// Addresses of ours that one asker sees in sessions without a person's word for each.
  public static let addressesPerAsker = 64
  /// Requests that wait for an answer.
  public static let gatewayPending = 256
  /// Of these, how many from one domain.
  public static let gatewayPendingPerDomain = 64
  /// Of these, how many from one asker.
  public static let gatewayPendingPerAsker = 4
  /// Automatic answers that are told and recorded at once.
  public static let toldAtOnce = 16
  /// How many more with each second.
  public static let toldPerSecond = 4
  /// Askers that an address does not hear for a while after a no.
  public static let gatewaySilenced = 16_384
  /// Answers that are remembered, so that a second client's answer can be told apart from a wrong id.
  public static let gatewayRememberedAnswers = 1_024
  /// Copies of our presence that are remembered so that they can be taken back.
  public static let gatewayShown = 250_000
  /// Where there are as many, whoever sees us anyway is sent no further copy to another of its resources: there is one for
  /// each session and each subscription.
  public static let gatewayShownFurther = gatewayShown - gatewaySessions - gatewaySubscriptions
  /// The copies of one domain above which the same holds for it.
  public static let gatewayShownPerDomain = gatewayShown / 4
  /// Subscriptions to our addresses.
  public static let gatewaySubscriptions = 100_000
  /// Of these, how many of one domain.
  public static let gatewaySubscriptionsPerDomain = gatewaySubscriptions / 4
  /// Of these, how many of one asker.
  public static let gatewaySubscriptionsPerAsker = 256
  /// Rules about addresses of ours with an asterisk: each address that is asked for the first time is compared with
  /// all.
  public static let targetWildcards = 256
  /// Seconds that a subscription request waits for a person. No server sends it to a gateway again.
  public static let gatewaySubscriptionRequestLifetime: UInt32 = 86_400
}
