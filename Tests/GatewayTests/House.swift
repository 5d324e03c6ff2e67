// SPDX-License-Identifier: Apache-2.0

import Account
import Audience
import EventLoop
import Logging
import Store
import Testing
import XMPP

@testable import Gateway

/// One gateway at a scripted server, with a clock that the test moves and a list of all that it told.
@LoopActor
final class House {
  let account: GatewayAccount
  let time = ManualTime()
  let store: AccountStore
  private(set) var servers: [ScriptedComponent] = []
  private(set) var events: [GatewayEvent] = []
  /// Prepares each stream before it opens.
  var onOpen: @LoopActor (ScriptedComponent) -> Void = { _ in }
  /// Told of each event.
  var onEvent: @LoopActor (GatewayEvent) -> Void = { _ in }

  nonisolated static let domain = "sip.shakespeare.lit"
  nonisolated static let romeo = "romeo%shakespeare.lit@sip.shakespeare.lit"
  nonisolated static let juliet = "juliet@shakespeare.lit/balcony"

  /// The present stream.
  var server: ScriptedComponent {
    get throws { try #require(servers.last) }
  }

  /// - Parameter store: what is kept from before; nothing unless given.
  init(
    visibility: VisibilityWish = .visible, isBalanced: Bool = false, byItself: Bool = false, nonce: String = "test",
    store: AccountStore? = nil
  ) async throws {
    let time = time
    let kept: AccountStore
    if let store { kept = store } else { kept = try await Self.emptyStore() }
    self.store = kept
    final class Box { weak var house: House? }
    let box = Box()
    let component = ComponentConfiguration(
      domain: try BareJID(Self.domain), secret: "s", isBalanced: isBalanced)
    account = GatewayAccount(
      GatewayConfiguration(component: component, visibility: visibility, connectsByItself: byItself), nonce: nonce,
      store: kept, time: time, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    ) { configuration in
      let server = ScriptedComponent(configuration)
      box.house?.onOpen(server)
      box.house?.servers.append(server)
      return server
    }
    box.house = self
    account.onEvent = { [weak self] event in
      self?.events.append(event)
      self?.onEvent(event)
    }
  }

  /// A store in memory.
  static func emptyStore() async throws -> AccountStore {
    try await Store.open(directory: nil).account(key)
  }
  nonisolated static let key = AccountKey(uid: 1000, jid: domain, protocol: "xmpp-component")

  /// Connects, and forgets what that took.
  @discardableResult
  func connect() async throws -> House {
    try await account.connect()
    _ = try taken()
    return self
  }

  /// The turn is over: all that was decided in it has been written and sent.
  /// - Returns: what was sent since the last time.
  func taken() throws -> [String] {
    account.doorkeeper.flush()
    return try server.take()
  }

  /// Somebody asks one of our addresses to decloak.
  func ask(
    _ target: String = romeo, from: String = juliet, reason: String = "media", extra: String = ""
  ) throws {
    try server.say(
      "<presence from='\(from)' to='\(target)'><decloak xmlns='urn:xmpp:decloak:0' reason='\(reason)'/>\(extra)</presence>"
    )
  }

  /// Somebody says something else.
  func presence(_ type: String, from: String = juliet, to: String = romeo) throws {
    try server.say("<presence from='\(from)' to='\(to)' type='\(type)'/>")
  }

  func announced() -> [DecloakRequest] {
    events.compactMap { if case .requestAnnounced(let request, _) = $0 { request } else { nil } }
  }

  func sessionEnds() -> [String] {
    events.compactMap {
      if case .sessionEnded(let contact, let direction, let cause, let target) = $0 {
        "\(target) \(contact) \(direction.rawValue) \(cause.rawValue)"
      } else {
        nil
      }
    }
  }

  func handed() -> [HandedStanza] {
    events.compactMap {
      switch $0 {
      case .iqHanded(let stanza), .messageHanded(let stanza): stanza
      default: nil
      }
    }
  }
}

/// Whether a stanza is available presence between two.
func isShown(_ stanza: String, from: String = House.romeo, to: String = House.juliet) -> Bool {
  stanza.hasPrefix("<presence from='\(from)' to='\(to)'><c ")
}

/// The stanza that takes it back.
func gone(from: String = House.romeo, to: String = House.juliet) -> String {
  "<presence from='\(from)' to='\(to)' type='unavailable'/>"
}

/// Lets everything run that can, for as long as `condition` holds, but not for ever.
@LoopActor
func turns(_ most: Int = 5_000, while condition: () -> Bool) async {
  for _ in 0..<most where condition() { await spawn {}.value }
}
