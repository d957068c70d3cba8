/// When an endpoint is asked again what it has to do.
enum ProbePace {
    /// Each `probeInterval` while there are no more than `maxProbes`; of more each in its turn, so that what is asked in a
    /// second does not grow with the mesh, nor what a stopped process gets: its share of the calls shrinks as well. A silent one
    /// is asked as often as ever, since it gets nothing until it answers.
    static func wait(among ready: Int, isSilent: Bool, _ configuration: ChannelConfiguration) -> Duration {
        if isSilent { return configuration.probeInterval }
        return configuration.probeInterval * max(1, Double(ready) / Double(configuration.maxProbes))
    }
}
