// SPDX-License-Identifier: Apache-2.0

@testable import Audience

/// A second, shorter answer to "who may know", kept from the events alone.
struct MayKnow {
  /// A leave to see us.
  struct Grant {
    var until: Instant
    /// Whether it was given on request.
    var isAnswer = false
  }

  var mode = Mode.visible
  var subscribers: Set<BareAddress> = []
  var grants: [Address: Grant] = [:]
  /// Our own requests: until when an answer counts, how long it would then last, and whether it came.
  var asks: [BareAddress: (until: Instant, lifetime: UInt32, began: Bool, isAnswered: Bool)] = [:]
  var upgrading: Set<Address> = []
  /// Who has been sent presence and not been told that it ended.
  var told: Set<Address> = []

  func contains(_ address: Address) -> Bool {
    mode == .visible && subscribers.contains(address.account) || grants[address] != nil
      || grants[.bare(address.account)] != nil
  }

  mutating func grant(_ address: Address, until: Instant, isAnswer: Bool = false) {
    grants[address] = Grant(until: until, isAnswer: isAnswer)
    upgrading.remove(address)
  }

  mutating func ask(_ contact: BareAddress, lifetime: UInt32, now: Instant) {
    let until = now.later(bySeconds: 120)
    let before = grants[.bare(contact)]
    asks[contact] = (until, lifetime, began: before == nil, isAnswered: false)
    grants[.bare(contact), default: Grant(until: until)].until = max(before?.until ?? until, until)
  }

  mutating func appeared(_ contact: BareAddress, now: Instant) {
    guard let ask = asks[contact], !ask.isAnswered, ask.until > now, let grant = grants[.bare(contact)],
      grant.until > now
    else { return }
    asks[contact]?.isAnswered = true
    let end = now.later(bySeconds: ask.lifetime)
    grants[.bare(contact)]?.until = ask.began ? end : max(grant.until, end)
  }

  mutating func end(where isOver: (Address, Grant) -> Bool) {
    for (address, grant) in grants where isOver(address, grant) {
      grants[address] = nil
      upgrading.remove(address)
      if case .bare(let contact) = address { asks[contact] = nil }
    }
  }

  mutating func upgraded(_ contact: BareAddress) {
    guard mode == .visible, subscribers.contains(contact), upgrading.contains(where: { $0.account == contact }) else {
      return
    }
    end { address, _ in address.account == contact }
  }

  mutating func becameVisible() {
    mode = .visible
    let waiting = Set(asks.filter { !$0.value.isAnswered }.keys)
    let subscribers = subscribers
    end { address, _ in subscribers.contains(address.account) && !waiting.contains(address.account) }
  }
}
