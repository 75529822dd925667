#include "app/mailbox.h"

#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "io/os.h"

namespace kvs {
namespace {

TEST(Mailbox, GivesAllLettersInTheOrderOfPosting) {
  Mailbox<int> mailbox;
  for (int i = 0; i < 5; ++i) {
    mailbox.post(i);
  }
  std::vector<int> letters;
  mailbox.wait_and_take(letters);
  EXPECT_EQ(letters, (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST(Mailbox, TakesManyLettersAtOnceInTheirOrder) {
  Mailbox<std::string> mailbox;
  mailbox.post("first");
  std::vector<std::string> many = {"second", "third"};
  mailbox.post_all(many);
  EXPECT_TRUE(many.empty());
  mailbox.post_all(many);  // nothing to add
  std::vector<std::string> letters;
  mailbox.wait_and_take(letters);
  EXPECT_EQ(letters, (std::vector<std::string>{"first", "second", "third"}));
}

TEST(Mailbox, ManyLettersAtOnceWakeAWaitingReceiver) {
  Mailbox<int> mailbox;
  std::vector<int> letters;
  std::thread receiver([&] { mailbox.wait_and_take(letters); });
  std::vector<int> many = {1, 2, 3};
  mailbox.post_all(many);
  receiver.join();
  EXPECT_EQ(letters, (std::vector<int>{1, 2, 3}));
}

TEST(Mailbox, TheDeadlineEndsTheWaitWithoutALetter) {
  Mailbox<int> mailbox;
  std::vector<int> letters;
  const Instant deadline = monotonic_now() + Duration::from_ms(20);
  mailbox.wait_and_take(letters, deadline);
  EXPECT_TRUE(letters.empty());
  EXPECT_GE(monotonic_now(), deadline);
  mailbox.wait_and_take(letters, deadline);  // which has passed
  EXPECT_TRUE(letters.empty());
}

TEST(Mailbox, ALetterComesBeforeTheDeadline) {
  Mailbox<int> mailbox;
  mailbox.post(1);
  std::vector<int> letters;
  mailbox.wait_and_take(letters, Instant{});  // long past
  EXPECT_EQ(letters, std::vector<int>{1});
  letters.clear();
  std::thread sender([&] { mailbox.post(2); });
  mailbox.wait_and_take(letters, monotonic_now() + Duration::from_seconds(60));
  sender.join();
  EXPECT_EQ(letters, std::vector<int>{2});
}

TEST(Mailbox, WakesAWaitingReceiverAndLosesNothingFromManySenders) {
  constexpr int kSenders = 4;
  constexpr int kLetters = 10'000;
  Mailbox<std::pair<int, int>> mailbox;
  std::vector<std::thread> senders;
  for (int s = 0; s < kSenders; ++s) {
    senders.emplace_back([&mailbox, s] {
      for (int i = 0; i < kLetters; ++i) {
        mailbox.post({s, i});
      }
    });
  }
  std::vector<int> next(kSenders, 0);
  std::vector<std::pair<int, int>> letters;
  for (int received = 0; received < kSenders * kLetters;) {
    mailbox.wait_and_take(letters);
    received += static_cast<int>(letters.size());
    for (const auto& [sender, number] : letters) {
      EXPECT_EQ(number, next[static_cast<std::size_t>(sender)]++);
    }
    letters.clear();
  }
  for (std::thread& sender : senders) {
    sender.join();
  }
}

}  // namespace
}  // namespace kvs
