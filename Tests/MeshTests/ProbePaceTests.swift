import Testing

@testable import Mesh

@Suite struct ProbePaceTests {
    private let configuration = ChannelConfiguration()

    @Test(arguments: [0, 1, 16])
    func eachIntervalWhereEndpointsAreFew(_ ready: Int) {
        #expect(ProbePace.wait(among: ready, isSilent: false, configuration) == .seconds(1))
    }

    @Test(arguments: [17, 64, 1000])
    func manyEndpointsAreAskedNoMoreOftenThanFew(_ ready: Int) {
        let wait = ProbePace.wait(among: ready, isSilent: false, configuration)
        #expect(wait > .seconds(1))
        #expect(abs(Double(ready) * (.seconds(1) / wait) - 16) < 0.001)
    }

    @Test func aSilentOneIsAskedAsOftenAsEver() {
        #expect(ProbePace.wait(among: 1000, isSilent: true, configuration) == .seconds(1))
    }
}
