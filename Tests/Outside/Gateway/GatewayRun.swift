// SPDX-License-Identifier: Apache-2.0

import Support

/// A gateway in the hands of the program, people who ask for its addresses and record all that comes of them, and a driver
/// who does at random what its owner, those around it and the network can do. After each step everybody must see what
/// ``GatewayModel`` says, and nobody may have received what it never allowed.
public final class GatewayRun {
  typealias Pair = GatewayModel.Pair
  typealias Sight = GatewayModel.Sight

  let plan: OutsideRun.Plan
  let server: XMPPServer
  let gateway: OutsideGateway
  let cast: GatewayCast
  var numbers: SeededNumbers
  var model = GatewayModel() { didSet { permit(model) } }

  // MARK: Since the last settle

  /// What each asker, by full JID, may have been sent of each address at most.
  var permitted: [Pair: Sight] = [:]
  /// Accounts that may have been told that a subscription is over.
  var mayHearOfEnd: Set<Pair> = []
  /// Accounts that may have been told that they are subscribed.
  var mayHearOfGrant: Set<Pair> = []
  /// What may have begun because of something that was decided.
  var maybeSessions: [Pair: GatewayModel.Session] = [:]
  var maybeSubscribed: Set<Pair> = []
  /// Subscriptions that may have ended, or asked for, where a server may not have told the gateway.
  var unsure: Set<Pair> = []
  /// Sessions and requests of those who left in a way that the gateway hears of when their server likes.
  var leaving: Set<Pair> = []
  /// A connection was lost, or there was none.
  var wasLost = false
  var questions: [String: Question] = [:]

  // MARK: For longer

  /// Whom the last connection, and those before, may have shown what.
  var everPermitted: Set<Pair> = []
  /// Accounts that are to be told of the end of a subscription when the connection is back.
  var owedEnds: Set<Pair> = []
  /// Accounts that may not be heard for a while at an address, by what refused them: "person", "policy", "nobody" or a rule.
  var unheard: [Pair: String] = [:]
  /// Accounts that asked for subscriptions.
  var everApplied: Set<Pair> = []
  /// When accounts asked last at an address: a request holds its place even if it was taken back.
  var places: [Pair: ContinuousClock.Instant] = [:]
  /// Whether a program of the owner's handles questions.
  var isHandling = false
  /// When the gateway was last not connected: its server may say so for as long as it looks for it elsewhere (ejabberd).
  var lastLost = ContinuousClock.now
  /// What became of requests.
  var verdicts: [String: Int] = [:]
  /// The latest steps.
  var journal: [String] = []
  private var step = 0
  private var counts: [GatewayStepKind: Int] = [:]
  private let started = ContinuousClock.now
  private var told = ContinuousClock.now

  /// Runs it. It blocks on a thread of its own.
  public static func run(_ plan: OutsideRun.Plan) async throws {
    try await withTaskExecutorPreference(WitnessThread.shared) {
      let run = try GatewayRun(plan)
      defer {
        run.cast.end()
        run.gateway.end()
        try? run.server.stop()
      }
      try run.go()
    }
  }

  init(_ plan: OutsideRun.Plan) throws {
    self.plan = plan
    numbers = SeededNumbers(seed: plan.seed)
    server = try plan.server.start(components: [GatewayCast.house])
    cast = try GatewayCast(on: server)
    gateway = try OutsideGateway(server, logLevel: plan.logLevel)
    tell("\(plan.steps) steps with a gateway on \(plan.server.rawValue), SEED=\(plan.seed)")
  }

  private func go() throws {
    do {
      try begin()
      while step < plan.steps {
        step += 1
        guard let kind = GatewayStepKind.random(using: &numbers, where: isPossible) else { return }
        counts[kind, default: 0] += 1
        try perform(kind)
        try settle()
        if ContinuousClock.now - told > .seconds(10) {
          told = .now
          tell("\(step) steps, \((ContinuousClock.now - started).components.seconds) s")
        }
      }
      report()
    } catch {
      report()
      throw WitnessError(complaint(error))
    }
  }

  private func begin() throws {
    try cast.connectHouse()
    for asker in cast.askers { try cast.logIn(asker) }
    try gateway.add(gateway.parameters)
    try gateway.set(.Decloak, "Policy", .string("allow"))
    model.policy = "allow"
    try connect()
    try settle()
  }

  private func complaint(_ error: any Error) -> String {
    """
    a gateway on \(plan.server.rawValue), SEED=\(plan.seed), step \(step):
    \(journal.suffix(40).map { "  " + $0 }.joined(separator: "\n"))
    \((error as? RawBus.Refusal).map { "refused: \($0)" } ?? "\(error)")
    the program's log ends:
    \(gateway.log.split(separator: "\n").suffix(plan.logLevel == "debug" ? 20_000 : 5).joined(separator: "\n"))
    """
  }

  private func report() {
    let time = ContinuousClock.now - started
    let milliseconds = Int(time.components.seconds) * 1000 + Int(time.components.attoseconds / 1_000_000_000_000_000)
    tell("\(step) steps in \(milliseconds / 1000) s, \(milliseconds / max(1, step)) ms each")
    for kind in GatewayStepKind.allCases { tell("  \(counts[kind] ?? 0) \(kind.rawValue)") }
    tell("requests: \(verdicts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", "))")
  }

  private func tell(_ line: String) { if plan.isTold { print(line) } }

  func note(_ text: String) {
    journal.append("\(step): \(text)")
    if journal.count > 200 { journal.removeFirst(100) }
  }

  // MARK: What is permitted

  /// Whatever the model has allowed since the last settle may have been sent.
  func permit(_ model: GatewayModel) {
    guard model.isOnline else { return }
    for asker in cast.askers {
      for address in AskedAddress.all {
        let pair = Pair(who: asker.full, address: address.jid)
        let sight = model.sight(pair)
        guard sight > permitted[pair] ?? .nothing else { continue }
        permitted[pair] = sight
        everPermitted.insert(pair)
      }
    }
  }

  /// A session may have begun: then what it shows may have been sent.
  func maybe(_ pair: Pair, _ session: GatewayModel.Session) {
    maybeSessions[pair] = session
    var new = model
    new.sessions[pair] = session
    permit(new)
  }

  /// A subscription may have begun.
  func maybeSubscribed(_ pair: Pair) {
    maybeSubscribed.insert(pair)
    mayHearOfGrant.insert(pair)
    var new = model
    new.subscriptions.insert(pair)
    permit(new)
  }

  /// Begins anew with what is so now.
  func settled() {
    permitted = [:]
    permit(model)
    mayHearOfEnd = []
    mayHearOfGrant = []
    maybeSessions = [:]
    maybeSubscribed = []
    unsure = []
    if model.isOnline { owedEnds = [] }
    if wasLost { lastLost = .now }
    wasLost = !model.isOnline
    questions = [:]
    gateway.owner.forget()
  }
}
