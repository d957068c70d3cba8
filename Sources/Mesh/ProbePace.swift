import NIOCore
import RPC

/// When an endpoint is asked again: what it has to do, and, where its health cannot be watched, how it is.
enum ProbePace {
    /// The share that it is later or sooner by chance: many endpoints were connected at the same time.
    static let jitter = 0.1

    /// Each `probeInterval` while no more than `maxProbes` are asked; of more each in its turn, so that what is asked in a
    /// second does not grow with the mesh, nor what a stopped process gets: its share of the calls shrinks as well. A silent one
    /// is asked as often as ever, since it gets nothing until it answers.
    static func wait(
        among asked: Int, isSilent: Bool, _ configuration: ChannelConfiguration,
        using random: inout some RandomNumberGenerator
    ) -> Duration {
        let turns = isSilent ? 1 : max(1, Double(asked) / Double(configuration.maxProbes))
        return configuration.probeInterval * turns * share(using: &random)
    }

    /// At the end of a quarter of `probeInterval`, for all endpoints that are due in it: a coordinator that has nothing else to do
    /// wakes up for each question otherwise, which takes longer than to ask.
    static func time(after wait: Duration, from now: NIODeadline, _ configuration: ChannelConfiguration) -> Deadline {
        Deadline(instant: (now + TimeAmount(wait)).roundedUp(to: TimeAmount(configuration.probeInterval / turns)))
    }

    private static let turns = 4

    /// Each `healthInterval`.
    static func healthWait(
        _ configuration: ChannelConfiguration, using random: inout some RandomNumberGenerator
    ) -> Duration {
        configuration.healthInterval * share(using: &random)
    }

    private static func share(using random: inout some RandomNumberGenerator) -> Double {
        Double.random(in: 1 - jitter...1 + jitter, using: &random)
    }
}
