// SPDX-License-Identifier: Apache-2.0

/// What a driver can do.
protocol WeightedStep: CaseIterable {
  /// How often it is chosen: what takes long is rare.
  var weight: Int { get }
}

extension WeightedStep {
  /// One of those that are possible; nil where none is.
  static func random(using generator: inout some RandomNumberGenerator, where isPossible: (Self) -> Bool) -> Self? {
    let all = allCases.filter(isPossible)
    let sum = all.map(\.weight).reduce(0, +)
    guard sum > 0 else { return nil }
    var place = Int.random(in: 0..<sum, using: &generator)
    return all.first { kind in
      place -= kind.weight
      return place < 0
    }
  }
}

/// What the driver of an account can do.
enum StepKind: String, WeightedStep {
  case setPresence = "SetPresence"
  case setInvisible = "SetInvisible"
  case setVisible = "SetVisible"
  case hideFrom = "HideFrom"
  case showTo = "ShowTo"
  case setVisibility = "SetVisibility"
  case repeated = "the same visibility again"
  case ask = "a request to us, and its answer"
  case requestDecloak = "RequestDecloak"
  case share = "Share"
  case revoke = "Revoke"
  case policy = "Policy"
  case rule = "SetRule"
  case decisions = "ListDecisions"
  case handler = "AddHandler or RemoveHandler"
  case question = "a question to our resource"
  case move = "another group"
  case contactSubscribes = "a contact subscribes"
  case contactUnsubscribes = "a contact unsubscribes"
  case subscribe = "Subscribe"
  case unsubscribe = "Unsubscribe"
  case deny = "DenySubscription"
  case remove = "RemoveContact"
  case logOut = "a log-out"
  case logIn = "a log-in"
  case disconnect = "Disconnect"
  case connect = "Connect"
  case cut = "a cut"
  case cutInCall = "a cut in a call"
  case kill = "kill -9"
  case killInCall = "kill -9 in a call"
  case restart = "a restart of the server"

  var weight: Int {
    switch self {
    case .setPresence: 160
    case .hideFrom, .showTo: 100
    case .ask: 140
    case .setVisibility, .share, .question, .rule: 70
    case .policy: 40
    case .setInvisible, .setVisible, .revoke, .logOut: 50
    // Nobody is away, and we are not, for long.
    case .logIn, .connect: 150
    case .move, .contactSubscribes, .subscribe: 40
    case .contactUnsubscribes, .unsubscribe, .deny, .remove, .requestDecloak, .repeated, .handler: 20
    case .disconnect, .cut, .cutInCall, .decisions: 10
    case .kill, .killInCall: 3
    case .restart: 1
    }
  }
}

/// What a recorder asks of our account.
enum QuestionKind: String, CaseIterable {
  case ping, message
  /// That a program of the person's may handle.
  case talk = "question to a handler"
  /// To the bare JID, which the server answers.
  case last = "jabber:iq:last"
  case items = "disco#items"
}
