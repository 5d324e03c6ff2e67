// SPDX-License-Identifier: Apache-2.0

/// What the driver of a gateway can do.
enum GatewayStepKind: String, WeightedStep {
  case ask = "a request to an address, and its answer"
  case answer = "Approve or Deny"
  case leave = "an asker goes offline to an address"
  case probe = "a probe"
  case question = "a question or a message to an address"
  case subscribe = "a subscription request"
  case unsubscribe = "an asker unsubscribes"
  case answerSubscription = "AuthorizeSubscription or DenySubscription"
  case remove = "RemoveContact"
  case contactRule = "SetRule about askers"
  case targetRule = "SetRule about addresses"
  case policy = "Policy"
  case visibility = "a call of Visibility"
  case share = "Share"
  case requestDecloak = "RequestDecloak"
  case revoke = "Revoke"
  case setPresence = "SetPresence"
  case handler = "AddHandler or RemoveHandler"
  case send = "SendIQ or SendMessage"
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
    case .ask: 220
    case .question, .contactRule: 80
    case .answer, .targetRule, .subscribe: 60
    case .leave, .share, .policy, .visibility, .setPresence, .logOut: 40
    case .probe, .answerSubscription, .unsubscribe, .revoke: 30
    case .send, .remove, .handler: 15
    // Nobody is away, and we are not, for long.
    case .logIn, .connect: 150
    case .requestDecloak, .disconnect, .cut, .cutInCall: 10
    case .kill, .killInCall: 4
    case .restart: 1
    }
  }
}
