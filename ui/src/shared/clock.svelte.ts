/** The time, renewed every few seconds, for ages on the screen. */
class Clock {
  now = $state(Date.now());

  constructor() {
    setInterval(() => {
      this.now = Date.now();
    }, 5000);
  }
}

export const clock = new Clock();
