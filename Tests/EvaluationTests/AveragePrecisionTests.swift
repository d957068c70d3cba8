import Evaluation
import Foundation
import Testing

@Suite struct AveragePrecisionTests {
    private func dataset(_ annotations: String) throws -> COCODataset {
        try COCODataset(
            json: Data(
                """
                {"images":[{"id":1,"file_name":"a.jpg"},{"id":2,"file_name":"b.jpg"}],
                "categories":[{"id":7,"name":"cat"},{"id":8,"name":"dog"}],"annotations":[\(annotations)]}
                """.utf8))
    }

    private func result(_ picture: Int, _ left: Double, score: Double, category: Int = 7) -> COCOResult {
        COCOResult(
            picture: picture, category: category, box: COCOBox(left: left, top: 0, width: 10, height: 10), score: score)
    }

    private let two = """
        {"image_id":1,"category_id":7,"bbox":[0,0,10,10]},{"image_id":2,"category_id":7,"bbox":[0,0,10,10],"iscrowd":0}
        """

    @Test func perfectBoxesAreOne() throws {
        let precision = AveragePrecision([result(1, 0, score: 0.9), result(2, 0, score: 0.8)], on: try dataset(two))
        #expect(precision.ap == 1)
        #expect(precision.averageRecall == 1)
        #expect(precision.categories.map(\.objects) == [2, 0])
        #expect(precision.categories[1].ap == nil)
    }

    /// One of two is found, before a wrong box: precision 1 up to a recall of 0.5, that is 51 of 101 points.
    @Test func halfIsHalf() throws {
        let precision = AveragePrecision([result(1, 0, score: 0.9), result(2, 50, score: 0.8)], on: try dataset(two))
        #expect(precision.ap50 == 51.0 / 101)
    }

    @Test func aWrongBoxBeforeARightOneCosts() throws {
        let precision = AveragePrecision([result(1, 50, score: 0.9), result(1, 0, score: 0.8)], on: try dataset(two))
        #expect(precision.ap50 == 51 * 0.5 / 101)
    }

    /// pycocotools calls a box right whose overlap is just what is asked for: 85 of 100 pixels, at 0.5, 0.55 … 0.85.
    @Test func anOverlapThatIsJustEnoughIsEnough() throws {
        let truth = #"{"image_id":1,"category_id":7,"bbox":[0,0,10,10]}"#
        let found = COCOResult(
            picture: 1, category: 7, box: COCOBox(left: 0, top: 0, width: 10, height: 8.5), score: 0.9)
        let precision = AveragePrecision([found], on: try dataset(truth))
        #expect(precision.ap == 0.8)
        #expect(precision.averageRecall == 0.8)
    }

    @Test func anObjectIsFoundOnce() throws {
        let results = [result(1, 0, score: 0.9), result(1, 1, score: 0.8), result(2, 0, score: 0.7)]
        let ap50 = try #require(AveragePrecision(results, on: try dataset(two)).ap50)
        #expect(abs(ap50 - (51 + 50 * 2.0 / 3) / 101) < 1e-12)
    }

    @Test func whatIsFoundInACrowdDoesNotCount() throws {
        let crowd = #"{"image_id":1,"category_id":7,"bbox":[40,0,100,10],"iscrowd":1}"#
        let results = [result(1, 60, score: 0.95), result(1, 0, score: 0.9), result(2, 0, score: 0.8)]
        let precision = AveragePrecision(results, on: try dataset("\(two),\(crowd)"))
        #expect(precision.ap == 1)
        #expect(precision.categories[0].objects == 2)
    }

    @Test func withoutTrueBoxesThereIsNoScore() throws {
        let precision = AveragePrecision([result(1, 0, score: 0.9)], on: try dataset(""))
        #expect(precision.ap == nil)
        #expect(precision.averageRecall == nil)
    }

    @Test(arguments: [
        (#"{"image_id":3,"category_id":7,"bbox":[0,0,1,1]}"#, "annotations[0]: there is no image with the id 3"),
        (#"{"image_id":1,"category_id":9,"bbox":[0,0,1,1]}"#, "annotations[0]: there is no category with the id 9"),
        (#"{"image_id":1,"category_id":7,"bbox":[0,0,1]}"#, "annotations[0].bbox: a box is left"),
        (#"{"image_id":1,"category_id":7,"bbox":[0,0,-1,1]}"#, "annotations[0].bbox: a box is left"),
        (#"{"image_id":1,"category_id":7}"#, "annotations[0]: there is no 'bbox'"),
    ])
    func errorsNameThePlace(annotation: String, message: String) {
        let error = #expect(throws: DatasetError.self) { try dataset(annotation) }
        #expect(error?.message.hasPrefix(message) == true, "\(error?.message ?? "")")
    }

    @Test func resultsReadWhatTheyWrite() throws {
        let list = [result(1, 0.25, score: 0.5)]
        let again = try COCOResult.list(json: try COCOResult.json(list))
        #expect(again.count == 1)
        #expect(again[0].box.left == 0.25 && again[0].score == 0.5 && again[0].picture == 1 && again[0].category == 7)
    }
}
