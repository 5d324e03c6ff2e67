// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import EventLoop
internal import XML
internal import XMPP

// What is read of an account's privacy lists (XEP-0016 §2.2, §2.3).

/// The rules that would be in force in this session without our list.
struct KeptRules: Hashable, Sendable {
  /// The list; empty where there is none.
  let list: PrivacyList

  /// Asks the server.
  /// - Throws: ``AccountError``.
  @LoopActor static func fetch(_ requests: IQRequests) async throws(AccountError) -> KeptRules {
    guard let query = try await PrivacyList.ask(requests, []) else { return KeptRules(list: PrivacyList([])) }
    let active = query.child("active", PrivacyLists.namespace)?.attribute("name")
    let standard = query.child("default", PrivacyLists.namespace)?.attribute("name")
    guard standard != PrivacyLists.name else {
      throw AccountError(
        .serverRefused,
        "Another client has made \"\(PrivacyLists.name)\" the account's default privacy list. It changes with every "
          + "change of who may see you: choose another default list, or none.")
    }
    guard let name = active != PrivacyLists.name ? active ?? standard : standard else {
      return KeptRules(list: PrivacyList([]))
    }
    return KeptRules(list: try await PrivacyList.fetch(name, requests) ?? PrivacyList([]))
  }
}

extension PrivacyList {
  /// Asks the server for a list.
  /// - Returns: nil where there is none of that name.
  /// - Throws: ``AccountError``, also for a list that cannot be read.
  @LoopActor static func fetch(_ name: String, _ requests: IQRequests) async throws(AccountError) -> PrivacyList? {
    let asked = Element("list", PrivacyLists.namespace, ["name": name])
    guard let list = try await ask(requests, [asked])?.child("list", PrivacyLists.namespace) else { return nil }
    do {
      return try PrivacyList(list)
    } catch {
      throw AccountError(
        .serverRefused,
        "A rule of the account's privacy list \"\(name)\" cannot be read: \(error.text). It would be lost while "
          + "another list is active. Correct it with the client that made it.")
    }
  }

  /// Asks, and takes the answer that there is no such thing for none.
  @LoopActor fileprivate static func ask(
    _ requests: IQRequests, _ children: [Element]
  ) async throws(AccountError) -> Element? {
    let question = Element("query", PrivacyLists.namespace, children: children)
    let answer = try await requests.exchange(.get, to: nil, payload: question, limit: Account.iqLimit)
    if answer.type == .error, let condition = answer.error?.condition, condition != .itemNotFound {
      throw AccountError(.serverRefused, "The server does not tell of its privacy lists: \(condition.rawValue).")
    }
    return answer.payload.first { $0.matches("query", PrivacyLists.namespace) }
  }
}

/// Counts how often others change what we rely upon.
@LoopActor
struct ForeignChanges {
  /// How many changes a minute are put right.
  static let mostPerMinute = 3

  private let time: any TimeSource
  private var times: [MonotonicTime] = []

  init(_ time: any TimeSource) { self.time = time }

  /// Notes one more.
  /// - Returns: whether it is worth while to put it right.
  mutating func isBearable() -> Bool {
    times.removeAll { time.now - $0 > .seconds(60) }
    guard times.count < Self.mostPerMinute else { return false }
    times.append(time.now)
    return true
  }

  /// The session is over.
  mutating func forget() { times.removeAll() }
}
