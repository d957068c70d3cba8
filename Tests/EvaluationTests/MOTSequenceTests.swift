import Evaluation
import Messages
import Testing
import Tracking

@Suite struct MOTSequenceTests {
    private let truth = """
        1,5,0,0,10,10,1,1,1
        2,5,1,0,10,10,1,1,1
        2,6,50,0,10,10,0,1,1

        3,5,2,0,10,10,1,1,1
        """

    @Test func rowsBecomeFrames() throws {
        let sequence = try MOTSequence(text: truth, isTruth: true)
        #expect(sequence.lastFrame == 3)
        #expect(sequence[2].map(\.id) == [5])
        // Its pixels are counted from 1.
        #expect(sequence[2].first?.box == Box(x: 0, y: -1, width: 10, height: 10))
        #expect(sequence[7].isEmpty)
        // Only the truth has rows that are to be ignored.
        #expect(try MOTSequence(text: truth, isTruth: false)[2].map(\.id) == [5, 6])
    }

    @Test func anotherTrackIsASwitch() throws {
        let tracks = try MOTSequence(
            text:
                "1,1,0,0,10,10,0.9,-1,-1,-1\r\n2,1,1,0,10,10,0.9,-1,-1,-1\r\n3,2,2,0,10,10,0.9,-1,-1,-1\n3,-1,90,0,9,9,1",
            isTruth: false)
        let score = TrackingScore(tracks, against: try MOTSequence(text: truth, isTruth: true))
        #expect(score.frames == 3)
        #expect(score.matches == 3)
        #expect(score.identitySwitches == 1)
        #expect(score.falsePositives == 0)
        #expect(score.mota == 1 - 1.0 / 3)
        #expect(score.idf1 == 2.0 * 2 / 6)
        var both = score
        both += score
        #expect(both.objects == 6 && both.identitySwitches == 2 && both.mota == score.mota && both.idf1 == score.idf1)
    }

    @Test(arguments: [
        "1,2,3", "1,a,0,0,1,1,1", "0,1,0,0,1,1,1", "1,1,nan,0,1,1,1", "99999999999,1,0,0,1,1,1", "1,5,,0,10,10,1",
    ])
    func badRowsAreNamed(row: String) {
        let error = #expect(throws: DatasetError.self) {
            try MOTSequence(text: "1,1,0,0,1,1,1\n\(row)", isTruth: false)
        }
        #expect(error?.message.hasPrefix("line 2") == true, "\(error?.message ?? "")")
    }

    @Test func theInfoSaysRateAndFolder() throws {
        let info = try SequenceInfo(text: "[Sequence]\nname=x\nimDir=frames\nframeRate=14\nseqLength=3\n")
        #expect(info.pictures == "frames" && info.frameRate == 14 && info.length == 3)
        #expect(try SequenceInfo(text: "imDir = my frames \r\n").pictures == "my frames")
        for rate in ["0", "1e-13", "nan", "2000"] {
            #expect(throws: DatasetError.self) { try SequenceInfo(text: "frameRate=\(rate)") }
        }
    }
}
