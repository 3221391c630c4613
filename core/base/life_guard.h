// Tells a function on the stack that a callback has destroyed its object meanwhile.
#pragma once

namespace gatehouse {

// A member of the object.
class LifeGuard {
 public:
  LifeGuard() = default;
  LifeGuard(const LifeGuard&) = delete;
  LifeGuard& operator=(const LifeGuard&) = delete;
  ~LifeGuard() {
    for (Watch* watch = top_; watch != nullptr; watch = watch->below_) watch->gone_ = true;
  }

  // A local of the function: `LifeGuard::Watch watch(guard_); callback(); if (watch.gone())
  // return;`
  class Watch {
   public:
    explicit Watch(LifeGuard& guard) : guard_(guard), below_(guard.top_) { guard.top_ = this; }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    ~Watch() {
      if (!gone_) guard_.top_ = below_;
    }
    [[nodiscard]] bool gone() const { return gone_; }

   private:
    friend class LifeGuard;
    LifeGuard& guard_;
    Watch* below_;
    bool gone_ = false;
  };

 private:
  Watch* top_ = nullptr;
};

}  // namespace gatehouse
