import Evaluation
import Messages
import Testing

@Suite struct DetectionsFileTests {
    @Test func rowsAreDetectionsOfTheirFrames() throws {
        let file = try DetectionsFile(text: "2,-1,1.5,2,3,4,0.9,7\n\n1,-1,1,1,1,1,0.5\r\n2,-1,5,5,1,1,0.25,3,extra\n")
        #expect(
            file[1] == [Detection(classID: 0, label: "0", confidence: 0.5, box: Box(x: 0, y: 0, width: 1, height: 1))])
        #expect(file[2].map(\.classID) == [7, 3] && file[2].map(\.confidence) == [0.9, 0.25])
        // Pixels of the file are counted from 1.
        #expect(file[2][0].box == Box(x: 0.5, y: 1, width: 3, height: 4))
        #expect(file[3].isEmpty)
    }

    @Test(arguments: ["1,-1,0,0,1,1", "1,-1,0,0,1,one,1", "1,-1,0,0,1,inf,1", "0,-1,0,0,1,1,1", "1e99,-1,0,0,1,1,1"])
    func aWrongLineIsNamed(_ line: String) {
        #expect {
            try DetectionsFile(text: "1,-1,0,0,1,1,1\n" + line)
        } throws: { error in
            "\(error)".contains("line 2")
        }
    }
}
