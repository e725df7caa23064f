"""Fine-tuning of masked autoencoders on clips with labels: ``python -m baseline finetune``."""
